export {};
//# sourceMappingURL=alibi.test.d.ts.map