// The size of the window, events, and the start.

let resized = null;
let drawnSize = base;
let drawn = { width: map.clientWidth, height: map.clientHeight };

/** While the map moves, plotly.js tells the ranges that its layout will have. */
function onMove(event) {
  hideHover();
  const range = (axis) => [event[`${axis}.range[0]`], event[`${axis}.range[1]`]];
  if ("xaxis.range[0]" in event) placeNames({ x: range("xaxis"), y: range("yaxis") });
}

function onView() {
  hideHover();
  placeNames();
  clearTimeout(resized);
  resized = setTimeout(() => {
    if (Math.abs(size() / drawnSize - 1) < 0.15) return;
    drawnSize = size();
    Plotly.restyle(map, { "marker.size": drawnSize }, [...order.keys()]).then(drawRings);
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

/** How the map is scaled to the width of paper, for the style sheet. */
function onPrint() {
  const paper = 690; // px, of A4 and letter between margins
  const { clientWidth: width, clientHeight: height } = map;
  const sizes = { width: `${width}px`, height: `${height}px`, scale: paper / width };
  for (const [name, value] of Object.entries(sizes)) document.body.style.setProperty(`--${name}`, value);
}

function listen() {
  addEventListener("beforeprint", onPrint);
  map.on("plotly_hover", showHover);
  map.on("plotly_unhover", hideHover);
  map.on("plotly_click", ({ points }) => textAt(points[0]) !== null && select(textAt(points[0])));
  map.on("plotly_relayout", onView);
  map.on("plotly_relayouting", onMove);
  map.on("plotly_selected", onSelected);
  map.on("plotly_doubleclick", () => look(whole()));
  for (const kind of ["touchstart", "touchmove", "touchend"])
    map.addEventListener(kind, onTouch, { capture: true, passive: false });
  document.addEventListener("keydown", onKey);
  $("query").addEventListener("input", searchSoon);
  $("all").addEventListener("click", () => hide((hidden) => hidden.clear()));
  $("none").addEventListener("click", () => hide((hidden) => members.forEach((_, entry) => hidden.add(entry))));
  $("box").addEventListener("click", () => setMode("select"));
  $("lasso").addEventListener("click", () => setMode("lasso"));
  $("names-switch").addEventListener("click", switchNames);
  $("export").addEventListener("click", exportTexts);
  $("unpick").addEventListener("click", () => pick(null));
  $("theme").addEventListener("click", otherTheme);
  $("help").addEventListener("click", () => $("keys").showModal());
  $("zoom-in").addEventListener("click", () => zoom(1.5));
  $("zoom-out").addEventListener("click", () => zoom(1 / 1.5));
  $("whole").addEventListener("click", () => look(whole()));
  new ResizeObserver(onResize).observe(map);
  const preference = matchMedia("(prefers-color-scheme: dark)");
  preference.addEventListener("change", ({ matches }) => storedTheme() ?? redrawTheme(matches ? "dark" : "light"));
}

/** The model that the address of the page names after #, or the first one. */
function modelInAddress() {
  try {
    return Math.max(0, facts.models.indexOf(decodeURIComponent(location.hash.slice(1))));
  } catch {
    return 0; // not an encoded name
  }
}

async function start() {
  setTheme(storedTheme() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  listModels();
  listColorings();
  state.model = modelInAddress();
  if (state.model) state.before = 0;
  $("models").querySelectorAll("input")[state.model].checked = true;
  group();
  showLegend();
  list();
  describe();
  writeNames();
  if (!document.createElement("canvas").getContext("webgl")) {
    $("loading").textContent = "This browser draws no WebGL, which the map needs; search and list work.";
  }
  await draw(whole());
  listen();
  if (document.createElement("canvas").getContext("webgl")) $("loading").hidden = true;
  document.body.dataset.ready = "true";
}

start();
