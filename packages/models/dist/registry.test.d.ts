export {};
//# sourceMappingURL=registry.test.d.ts.map