import { defineConfig } from "vite";

const pages = ["reading", "township", "corrections", "inbox", "admin", "shell"];

export default defineConfig({
  base: "/static/app/",
  publicDir: false,
  build: {
    outDir: "../web/static/app",
    emptyOutDir: true,
    manifest: true,
    // Township centres run browsers as old as Chromium 86.
    target: ["chrome86", "es2020"],
    modulePreload: false,
    sourcemap: false,
    rolldownOptions: {
      input: Object.fromEntries(pages.map((page) => [page, `src/${page}/main.ts`])),
    },
  },
});
