export {};
//# sourceMappingURL=config-keys.test.d.ts.map