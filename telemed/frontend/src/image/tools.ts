/** What the left button does: one tool at a time; the others' marks stay and can be moved. */
import {
  AngleTool,
  addTool,
  annotation,
  EllipticalROITool,
  Enums,
  init,
  LengthTool,
  PanTool,
  RectangleROITool,
  StackScrollTool,
  ToolGroupManager,
  type Types,
  WindowLevelTool,
  ZoomTool,
} from "@cornerstonejs/tools";
import type { TextKey } from "../core/page";
import { angleText, areaText, lengthText } from "./measures";

export type ToolName = "window" | "pan" | "zoom" | "scroll" | "length" | "angle" | "ellipse" | "rectangle";

export type MeasuringTool = "length" | "angle" | "ellipse" | "rectangle";

interface Tool {
  label: TextKey;
  key: string;
  name: string;
  measures: boolean;
}

export const tools: Readonly<Record<ToolName, Tool>> = {
  window: { label: "ui.image.tool.window", key: "w", name: WindowLevelTool.toolName, measures: false },
  pan: { label: "ui.image.tool.pan", key: "m", name: PanTool.toolName, measures: false },
  zoom: { label: "ui.image.tool.zoom", key: "z", name: ZoomTool.toolName, measures: false },
  scroll: { label: "ui.image.tool.scroll", key: "s", name: StackScrollTool.toolName, measures: false },
  length: { label: "ui.image.tool.length", key: "l", name: LengthTool.toolName, measures: true },
  angle: { label: "ui.image.tool.angle", key: "a", name: AngleTool.toolName, measures: true },
  ellipse: { label: "ui.image.tool.ellipse", key: "o", name: EllipticalROITool.toolName, measures: true },
  rectangle: { label: "ui.image.tool.rectangle", key: "b", name: RectangleROITool.toolName, measures: true },
};

export function toolOf(name: string): MeasuringTool | undefined {
  const found = Object.entries(tools).find(([, tool]) => tool.measures && tool.name === name);
  return found?.[0] as MeasuringTool | undefined;
}

const classes = [
  WindowLevelTool,
  PanTool,
  ZoomTool,
  StackScrollTool,
  LengthTool,
  AngleTool,
  EllipticalROITool,
  RectangleROITool,
];
const { MouseBindings } = Enums;
const GROUP = "image-station";

const texts: Readonly<Record<string, (data: never) => string[]>> = {
  [LengthTool.toolName]: lengthText,
  [AngleTool.toolName]: angleText,
  [EllipticalROITool.toolName]: areaText,
  [RectangleROITool.toolName]: areaText,
};

let group: Types.IToolGroup | undefined;

export function prepare(): Types.IToolGroup {
  if (group) return group;
  init();
  group = ToolGroupManager.createToolGroup(GROUP);
  if (!group) throw new Error("the tools are there already");
  for (const tool of classes) {
    addOnce(tool);
    const getTextLines = texts[tool.toolName];
    // The page has its own keys; the tools' own would answer beside them.
    group.addTool(tool.toolName, getTextLines ? { getTextLines, actions: {} } : {});
  }
  const styles = annotation.config.style.getDefaultToolStyles();
  annotation.config.style.setDefaultToolStyles({
    ...styles,
    global: {
      ...styles.global,
      color: "#7fd6ea",
      colorHighlighted: "#ffd479",
      colorSelected: "#ffd479",
      colorLocked: "#7fd6ea",
      lineWidth: "1.5",
      textBoxFontFamily: "system-ui, Noto Sans CJK SC, sans-serif",
      textBoxFontSize: "14px",
      textBoxColor: "#7fd6ea",
      textBoxColorHighlighted: "#ffd479",
      textBoxColorSelected: "#ffd479",
      textBoxLinkLineDash: "2,3",
      textBoxBackground: "rgba(0, 0, 0, 0.65)",
    },
  });
  return group;
}

function addOnce(tool: (typeof classes)[number]): void {
  if (!added.has(tool.toolName)) addTool(tool);
  added.add(tool.toolName);
}

const added = new Set<string>();

export function choose(name: ToolName): void {
  const made = prepare();
  for (const [one, tool] of Object.entries(tools)) {
    const bindings = standing[one as ToolName] ?? [];
    if (one === name)
      made.setToolActive(tool.name, {
        bindings: [{ mouseButton: MouseBindings.Primary }, { numTouchPoints: 1 }, ...bindings],
      });
    else if (bindings.length > 0) made.setToolActive(tool.name, { bindings });
    // A mark of another tool can still be taken and moved.
    else if (tool.measures) made.setToolPassive(tool.name, { removeAllBindings: true });
    else made.setToolDisabled(tool.name);
  }
}

/** The other buttons do always the same, as on every station. */
const standing: Partial<Record<ToolName, Types.IToolBinding[]>> = {
  pan: [{ mouseButton: MouseBindings.Auxiliary }],
  zoom: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }],
};

/** Of the marks on this picture the chosen one, else the last; false when there is none. */
export function removeMark(picture: string): boolean {
  const here = annotation.state
    .getAllAnnotations()
    .filter(({ metadata }) => metadata?.referencedImageId === picture)
    .map(({ annotationUID }) => annotationUID ?? "");
  const chosen = annotation.selection.getAnnotationsSelected().find((one) => here.includes(one));
  const last = chosen ?? here[here.length - 1];
  if (!last) return false;
  annotation.state.removeAnnotation(last);
  return true;
}
