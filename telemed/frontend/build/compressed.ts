/** Beside each built file its compressed forms, made once here and not for every township that fetches it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const WORTH = 1024;
const KINDS = /\.(js|css|wasm)$/;

export const compressed: Plugin = {
  name: "compressed",
  apply: "build",
  writeBundle({ dir = "" }, bundle) {
    for (const [name, made] of Object.entries(bundle)) {
      const content = Buffer.from(made.type === "chunk" ? made.code : made.source);
      if (!KINDS.test(name) || content.length < WORTH) continue;
      writeFileSync(join(dir, `${name}.gz`), gzipSync(content, { level: 9 }));
      const text = name.endsWith(".wasm") ? constants.BROTLI_MODE_GENERIC : constants.BROTLI_MODE_TEXT;
      const quality = { [constants.BROTLI_PARAM_MODE]: text, [constants.BROTLI_PARAM_QUALITY]: 9 };
      writeFileSync(join(dir, `${name}.br`), brotliCompressSync(content, { params: quality }));
    }
  },
};
