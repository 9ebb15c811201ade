// The size of the window, events, and the start.

let resized = null;
let drawnSize = base;
let drawn = { width: map.clientWidth, height: map.clientHeight };

function onView() {
  hideHover();
  clearTimeout(resized);
  resized = setTimeout(() => {
    if (Math.abs(size() / drawnSize - 1) < 0.15) return;
    drawnSize = size();
    Plotly.restyle(map, { "marker.size": drawnSize }, [...order.keys()]);
  }, 200);
}

/** Keep the middle of the view and its scale when the window changes. */
function onResize() {
  const { clientWidth: width, clientHeight: height } = map;
  if (width === drawn.width && height === drawn.height) return; // an observer's first word is no change
  const view = current();
  const middle = [(view.x[0] + view.x[1]) / 2, (view.y[0] + view.y[1]) / 2];
  const next = centred(...middle, (view.x[1] - view.x[0]) / drawn.width);
  drawn = { width, height };
  Plotly.relayout(map, { width, height, "xaxis.range": next.x, "yaxis.range": next.y });
}

function listen() {
  map.on("plotly_hover", showHover);
  map.on("plotly_unhover", hideHover);
  map.on("plotly_click", ({ points }) => textAt(points[0]) !== null && select(textAt(points[0])));
  map.on("plotly_relayout", onView);
  map.on("plotly_relayouting", hideHover);
  map.on("plotly_doubleclick", () => look(whole()));
  for (const kind of ["touchstart", "touchmove", "touchend"])
    map.addEventListener(kind, onTouch, { capture: true, passive: false });
  document.addEventListener("keydown", onKey);
  $("query").addEventListener("input", searchSoon);
  $("all").addEventListener("click", () => hide((hidden) => hidden.clear()));
  $("none").addEventListener("click", () => hide((hidden) => members.forEach((_, entry) => hidden.add(entry))));
  $("theme").addEventListener("click", otherTheme);
  $("help").addEventListener("click", () => $("keys").showModal());
  $("zoom-in").addEventListener("click", () => zoom(1.5));
  $("zoom-out").addEventListener("click", () => zoom(1 / 1.5));
  $("whole").addEventListener("click", () => look(whole()));
  new ResizeObserver(onResize).observe(map);
  const preference = matchMedia("(prefers-color-scheme: dark)");
  preference.addEventListener("change", ({ matches }) => storedTheme() ?? redrawTheme(matches ? "dark" : "light"));
}

async function start() {
  setTheme(storedTheme() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  radios("models", facts.models, showModel);
  radios(
    "colorings",
    facts.colorings.map((each) => each.name),
    showColoring,
  );
  group();
  showLegend();
  describe();
  if (!document.createElement("canvas").getContext("webgl")) {
    $("loading").textContent = "This browser draws no WebGL, which the map needs; search and list work.";
  }
  await draw(whole());
  listen();
  if (document.createElement("canvas").getContext("webgl")) $("loading").hidden = true;
  document.body.dataset.ready = "true";
}

start();
