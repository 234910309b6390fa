import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { absent } from "./build/absent.ts";
import { compressed } from "./build/compressed.ts";

const pages = ["reading", "township", "corrections", "inbox", "admin", "shell"];

/**
 * The texts beside measurements get their style by an attribute, which the pages' content policy refuses; the same
 * by the style object is allowed.
 */
const styleByObject: Plugin = {
  name: "style-by-object",
  transform(code, id) {
    if (!id.endsWith("/drawingSvg/drawTextBox.js")) return null;
    const wanted = "textElement.setAttribute('style', combinedStyle)";
    if (!code.includes(wanted)) this.error(`${id} draws its texts another way than it did`);
    return { code: code.replace(wanted, "textElement.style.cssText = combinedStyle"), map: null };
  },
};

export default defineConfig({
  base: "/static/app/",
  publicDir: false,
  resolve: { alias: { dcmjs: fileURLToPath(new URL("build/dcmjs.ts", import.meta.url)) } },
  plugins: [absent, styleByObject, compressed],
  worker: { format: "es", plugins: () => [absent] },
  build: {
    outDir: "../web/static/app",
    emptyOutDir: true,
    manifest: true,
    // Township centres run browsers as old as Chromium 86.
    target: ["chrome86", "es2020"],
    modulePreload: false,
    sourcemap: false,
    // The image station's own part, which only readers of pictures fetch.
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      input: Object.fromEntries(pages.map((page) => [page, `src/${page}/main.ts`])),
    },
  },
});
