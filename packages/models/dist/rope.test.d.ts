export {};
//# sourceMappingURL=rope.test.d.ts.map