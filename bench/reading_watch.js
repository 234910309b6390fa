// Counts keys and stamps paints inside the page. What is awaited is looked for at each frame; it counts as painted
// when the frame after it has been handed over.
window.bench = { keys: 0, pressed: 0, painted: Promise.resolve(0), drawn: 0 };

document.addEventListener(
  "keydown",
  (event) => {
    bench.keys += 1;
    bench.pressed = event.timeStamp;
  },
  true,
);
new MutationObserver(() => {
  bench.drawn = performance.now();
}).observe(document, { attributes: true, attributeFilter: ["data-drawn"], subtree: true });

bench.watch = (until) => {
  const here = location.pathname;
  const before = bench.keys;
  const name = () => document.querySelector(".identity h1")?.textContent ?? "";
  const shown = name();
  const field = () => document.querySelector("#report-findings");
  const come = {
    filled: () => field().value !== "",
    focused: () => document.activeElement === field(),
    next: () => location.pathname !== here && name() !== shown && name() !== "" && bench.drawn > bench.pressed,
  }[until];
  bench.painted = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`${until} did not come: ${document.querySelector(".report .message")?.textContent}`)), 20_000);
    const look = () => {
      if (bench.keys === before || !come()) requestAnimationFrame(look);
      else requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - bench.pressed)));
    };
    requestAnimationFrame(look);
  });
};
