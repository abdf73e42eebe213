import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['apps/*/{src,build}/**/*.test.ts', 'packages/*/{src,build}/**/*.test.ts'],
  },
});
