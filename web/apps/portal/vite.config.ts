import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { wasmFile } from '../../packages/session/build/wasm-file.ts';
import { precompress } from './build/precompress.ts';

export default defineConfig({
  plugins: [react(), wasmFile(), precompress()],
  build: {
    target: 'es2022',
    // The Content-Security-Policy allows no data: URLs for scripts, styles or fetches.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        // What both pages stand on changes seldom and is kept by browsers; the pages change often.
        codeSplitting: {
          groups: [{ name: 'kit', test: /node_modules[\\/](?!@devolutions)/ }],
        },
      },
    },
  },
  server: { proxy: { '/api': process.env.ORIEL_DEV_API ?? 'http://127.0.0.1:8790' } },
});
