/**
 * Leaves out what Cornerstone brings along for volumes, WebGL, segmentation and reading DICOM in the page: the image
 * station shows stacks by tables of grey levels, and knows the headers from the server. What is left out stands as a
 * function that says its name when it is called, so a part that is needed after all is found by its first test.
 */
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const vtk = "@kitware/vtk\\.js/";
const core = "@cornerstonejs/core/dist/esm/";
const tools = "@cornerstonejs/tools/dist/esm/";
const metadata = "@cornerstonejs/metadata/dist/esm/";

const LEFT_OUT = [
  `${vtk}Rendering/(OpenGL|WebGPU|SceneGraph|Profiles)/`,
  `${vtk}IO/`,
  `${vtk}Filters/`,
  `${vtk}Rendering/Core/(ColorTransferFunction/ColorMaps(\\.json)?|CubeAxesActor|ScalarBarActor|RenderWindowInteractor)\\.js`,
  `${core}RenderingEngine/(BaseVolume|Volume|Video|WSI|ECG)Viewport(3D)?\\.js`,
  `${core}RenderingEngine/GenericViewport/(ECG|Planar|Video|Volume3D|WSI)/`,
  `${core}RenderingEngine/vtkClasses/`,
  `${metadata}(displayset|safeFunctions)/`,
  `${metadata}utilities/(Tags|dicomStream/\\w+|metadataProvider/(naturalizedHandlers|tagModules))\\.js`,
  `${tools}utilities/(contourSegmentation/clipperBooleanOps|contours/interpolation/\\w+)\\.js`,
  `${tools}tools/displayTools/\\w+/`,
].map((path) => new RegExp(`node_modules/${path}`));

interface Named {
  type: string;
  name?: string;
  value?: unknown;
  id?: Named;
  source?: unknown;
  declaration?: Named & { declarations?: Named[] };
  specifiers?: { exported: Named }[];
}

export const absent: Plugin = {
  name: "absent",
  load(path) {
    if (!LEFT_OUT.some((one) => one.test(path)) || !path.endsWith(".js")) return null;
    const body = this.parse(readFileSync(path, "utf-8")).body as unknown as Named[];
    // An index leads to modules that are left out one by one.
    if (body.some(({ type }) => type === "ExportAllDeclaration")) return null;
    const names = new Set(body.flatMap(exported));
    const made = [...names].map((name, at) => {
      const said = JSON.stringify(`left out of the page: ${name} of ${path.replace(/.*node_modules\//, "")}`);
      return `function absent${at}() { throw new Error(${said}); }\nexport { absent${at} as ${name} };`;
    });
    return { code: made.join("\n"), map: null, moduleSideEffects: false };
  },
};

function exported({ type, declaration, specifiers }: Named): string[] {
  if (type === "ExportDefaultDeclaration") return ["default"];
  if (type !== "ExportNamedDeclaration") return [];
  const declared = declaration?.declarations ?? (declaration ? [declaration] : []);
  return [
    ...declared.map(({ id }) => id?.name ?? ""),
    ...(specifiers ?? []).map(({ exported: { name, value } }) => name ?? String(value)),
  ].filter(Boolean);
}
