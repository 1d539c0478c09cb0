import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two cores, and most integration tests start a PostgreSQL of their own.
    maxWorkers: 2,
    reporters: process.env['CI'] === undefined ? ['default'] : ['verbose'],
  },
});
