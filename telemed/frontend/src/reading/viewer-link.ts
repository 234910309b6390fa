/** The way to the full viewer, where one is installed, with a right of its own to read. */
import { send } from "../core/api";
import { h } from "../core/dom";
import { t } from "../core/page";
import type { Case } from "../core/types";

export function viewerButton(item: Case, failed: (cause: unknown) => void): HTMLElement {
  const open = async (): Promise<void> => {
    try {
      const study = encodeURIComponent(item.study_instance_uid);
      const { url } = await send<{ url: string }>("POST", `/api/v1/studies/${study}/viewer`);
      window.open(url, "_blank", "noopener");
    } catch (cause) {
      failed(cause);
    }
  };
  return h(
    "button",
    { type: "button", class: "viewer-link", onclick: () => void open() },
    t("ui.case.viewer"),
    h("kbd", {}, "Alt + V"),
  );
}
