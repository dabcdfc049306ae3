export {};
//# sourceMappingURL=dbg.test.d.ts.map