// Points and their marks, drawn by plotly.js.

function coordinates(of) {
  return [Float32Array.from(of, (text) => x(text)), Float32Array.from(of, (text) => y(text))];
}

function markedIn(of) {
  if (!state.marked) return null;
  const places = [];
  of.forEach((text, place) => state.marked[text] && places.push(place));
  return places;
}

function traces() {
  const found = order.map((entry) => {
    const [xs, ys] = coordinates(members[entry]);
    return {
      type: "scattergl",
      mode: "markers",
      x: xs,
      y: ys,
      hoverinfo: "none",
      visible: !state.hidden[state.coloring].has(entry),
      marker: { color: coloring().classes[entry][state.theme], size: size(), opacity: OPAQUE, line: { width: 0 } },
      selectedpoints: markedIn(members[entry]),
      selected: { marker: { opacity: 1 } },
      unselected: { marker: { opacity: FAINT } },
    };
  });
  return [...found, rings()];
}

/** Rings around the selected text and, smaller, its neighbours. */
function rings() {
  const { selected, model } = state;
  const ringed = selected === null ? [] : [selected, ...nearest(selected, model)];
  const [xs, ys] = coordinates(ringed);
  const sizes = ringed.map((text) => size() + (text === selected ? 10 : 5));
  const widths = ringed.map((text) => (text === selected ? 2.5 : 1.2));
  const ink = state.theme === "dark" ? "#ffffff" : "#000000";
  return {
    type: "scattergl",
    mode: "markers",
    x: xs,
    y: ys,
    hoverinfo: "skip",
    marker: { symbol: "circle-open", color: ink, size: sizes, line: { width: widths, color: ink } },
  };
}

function drawRings() {
  const { x: xs, y: ys, marker } = rings();
  return Plotly.restyle(map, { x: [xs], y: [ys], marker: [marker] }, [order.length]);
}

function layout(view) {
  const axis = { visible: false, fixedrange: false, zeroline: false };
  const grounds = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
  return {
    ...grounds,
    xaxis: { ...axis, range: view.x },
    yaxis: { ...axis, range: view.y },
    margin: { l: 0, r: 0, t: 0, b: 0 },
    showlegend: false,
    dragmode: state.mode,
    hovermode: "closest",
    hoverdistance: 12,
    autosize: true,
  };
}

const config = {
  displayModeBar: false,
  scrollZoom: true,
  doubleClick: false,
  responsive: false,
  showTips: false,
  plotGlPixelRatio: window.devicePixelRatio || 1, // as many pixels as the screen has; plotly.js draws four times as many
};

async function draw(view = current()) {
  await Plotly.react(map, traces(), layout(view), config);
  placeNames();
}
