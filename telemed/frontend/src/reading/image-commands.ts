/** The keys of the image station. Each does nothing, and leaves its key to others, where no picture is open. */
import type { Command } from "../core/keys";
import type { TextKey } from "../core/page";
import type { ImageRoom } from "../image/room";
import type { ToolName } from "../image/tools";
import type { PicturePanel } from "./picture-panel";
import type { Preview } from "./preview";

const toolKeys: readonly [string, ToolName][] = [
  ["w", "window"],
  ["m", "pan"],
  ["z", "zoom"],
  ["s", "scroll"],
  ["l", "length"],
  ["a", "angle"],
  ["o", "ellipse"],
  ["b", "rectangle"],
];

const STEP = 60;

export function imageCommands(panel: PicturePanel): Command[] {
  const command = (
    keys: readonly string[],
    label: TextKey,
    full: (room: ImageRoom) => unknown,
    preview?: (preview: Preview) => unknown,
  ): Command => ({ keys, label, run: () => panel.act(full, preview) });
  return [
    ...toolKeys.map(([key, tool]) =>
      command([key], `ui.image.tool.${tool}`, ({ station }) => station.setTool(tool)),
    ),
    ...[1, 2, 3, 4, 5, 6].map((number) =>
      command([String(number)], `ui.image.preset.${number as 1 | 2 | 3 | 4 | 5 | 6}`, ({ station }) =>
        station.preset(number - 1),
      ),
    ),
    command(
      ["]", "ArrowDown"],
      "ui.key.next_picture",
      ({ station }) => station.turn(1),
      (one) => one.turn(1),
    ),
    command(
      ["[", "ArrowUp"],
      "ui.key.previous_picture",
      ({ station }) => station.turn(-1),
      (one) => one.turn(-1),
    ),
    command(["PageDown"], "ui.image.ten_forward", ({ station }) => station.view.turn(10)),
    command(["PageUp"], "ui.image.ten_back", ({ station }) => station.view.turn(-10)),
    command(["}", "ArrowRight"], "ui.image.series.next", ({ station }) => station.turnSeries(1)),
    command(["{", "ArrowLeft"], "ui.image.series.previous", ({ station }) => station.turnSeries(-1)),
    command(["g"], "ui.image.cine", ({ station }) => station.cine()),
    command(
      ["+", "="],
      "ui.key.larger",
      ({ station }) => station.view.zoom(1.25),
      (one) => one.zoom(1.25),
    ),
    command(
      ["-"],
      "ui.key.smaller",
      ({ station }) => station.view.zoom(0.8),
      (one) => one.zoom(0.8),
    ),
    command(["Alt+ArrowLeft"], "ui.image.left", ({ station }) => station.view.pan(-STEP, 0)),
    command(["Alt+ArrowRight"], "ui.image.right", ({ station }) => station.view.pan(STEP, 0)),
    command(["Alt+ArrowUp"], "ui.image.up", ({ station }) => station.view.pan(0, -STEP)),
    command(["Alt+ArrowDown"], "ui.image.down", ({ station }) => station.view.pan(0, STEP)),
    command(
      ["0"],
      "ui.key.fit",
      ({ station }) => station.view.fit(),
      (one) => one.fit(),
    ),
    command(["v"], "ui.image.one_to_one", ({ station }) => station.view.oneToOne()),
    command(["t"], "ui.image.true_size", (room) => room.trueSize()),
    command(
      ["i"],
      "ui.key.invert",
      ({ station }) => station.view.invert(),
      (one) => one.invert(),
    ),
    command(["."], "ui.image.rotate", ({ station }) => station.view.rotate(90)),
    command([","], "ui.image.rotate_back", ({ station }) => station.view.rotate(-90)),
    command(["f"], "ui.image.flip", ({ station }) => station.view.flip()),
    command(["Home"], "ui.image.reset", ({ station }) => station.view.reset()),
    command(["y"], "ui.image.key", (room) => room.toggleKey()),
    command(["Alt+y"], "ui.image.key.write", (room) => room.writeNote()),
    command(["'"], "ui.image.key.go", (room) => room.nextKey()),
    command(["q"], "ui.image.compare", (room) => room.compare()),
    command(["h"], "ui.image.heat", (room) => room.heat()),
    command(["Delete"], "ui.image.remove_mark", (room) => room.removeMark()),
  ];
}
