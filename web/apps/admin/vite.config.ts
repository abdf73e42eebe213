import { readFileSync } from 'node:fs';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { precompress } from '../portal/build/precompress.ts';
import { firstLoad } from './build/first-load.ts';

/** `ORIEL_DEMO=…/demo.json`: the pages under development speak to a running demo, with its token. */
function demo(): { target: string; secure: boolean; headers: Record<string, string> } | string {
  const path = process.env.ORIEL_DEMO;
  if (path === undefined) return 'http://127.0.0.1:20443';
  const { management, api_token } = JSON.parse(readFileSync(path, 'utf8')) as { management: string; api_token: string };
  return { target: management, secure: false, headers: process.env.ORIEL_DEV_SIGN_IN ? {} : { authorization: `Bearer ${api_token}` } };
}

/** Packages that only some pages need. */
const LATER = ['@mantine/dates', 'dayjs', '@mantine/charts', 'recharts', 'victory-vendor', 'd3-', '@reduxjs', 'react-redux', 'redux', 'immer', 'reselect', 'es-toolkit', 'decimal.js-light', 'eventemitter3', 'internmap', 'react-is', 'tiny-invariant', '@standard-schema'];
const KIT = new RegExp(`node_modules[\\\\/](?!${LATER.map((name) => name.replace('/', '[\\\\/]')).join('|')})`);

export default defineConfig({
  plugins: [react(), firstLoad(), precompress()],
  build: {
    target: 'es2022',
    // The Content-Security-Policy allows no data: URLs for scripts, styles or fetches.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      output: {
        // What all pages stand on changes seldom and is kept by browsers; the pages change often. Dates and charts
        // come with the pages that show them.
        codeSplitting: { groups: [{ name: 'kit', test: KIT }] },
      },
    },
  },
  server: { proxy: { '/api': demo() } },
  preview: { proxy: { '/api': demo() } },
});
