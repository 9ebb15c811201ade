// Keys and fingers.

const keys = {
  "/": () => $("query").focus(),
  "?": () => $("keys").showModal(),
  t: otherTheme,
  c: () => showColoring((state.coloring + 1) % facts.colorings.length),
  n: () => next(1),
  p: () => next(-1),
  0: () => look(whole()),
  "+": () => zoom(1.5),
  "=": () => zoom(1.5),
  "-": () => zoom(1 / 1.5),
  b: () => setMode("select"),
  l: () => setMode("lasso"),
  e: exportTexts,
  m: switchNames,
  Escape: () => (state.found ? clear() : state.picked ? pick(null) : select(null)),
};
const arrows = {
  ArrowLeft: () => move(-0.15, 0),
  ArrowRight: () => move(0.15, 0),
  ArrowUp: () => move(0, 0.15),
  ArrowDown: () => move(0, -0.15),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
  if (event.target === $("query")) {
    if (event.key === "Escape") clear();
    else if (event.key === "Enter") search().then(() => state.found && zoomToMarked());
    else return;
    event.preventDefault();
    return;
  }
  if (event.target.matches?.("select")) return; // letters and arrows choose
  const inPanel = event.target.closest?.("aside"); // there, arrows scroll and change radios
  const action =
    keys[event.key] ??
    (inPanel ? undefined : arrows[event.key]) ??
    (/^[1-9]$/.test(event.key) ? () => showModel(Number(event.key) - 1) : undefined);
  if (!action) return;
  event.preventDefault();
  action();
}

let pinch = null;

function onTouch(event) {
  if (event.touches.length !== 2) {
    pinch = null;
    return;
  }
  event.preventDefault();
  event.stopPropagation();
  const [one, two] = event.touches;
  const distance = Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY);
  const frame = map.getBoundingClientRect();
  const middle = [(one.clientX + two.clientX) / 2 - frame.left, (one.clientY + two.clientY) / 2 - frame.top];
  if (pinch && distance > 0) zoom(distance / pinch, ...middle);
  pinch = distance;
}
