export {};
//# sourceMappingURL=architecture.js.map