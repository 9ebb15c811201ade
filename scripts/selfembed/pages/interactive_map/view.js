// The part of the map that is seen, and zooming.

/** Ranges of both axes around a rectangle, with the same scale on both. */
function around(left, right, bottom, top) {
  const { clientWidth: width, clientHeight: height } = map;
  const span = Math.max((right - left) / width, (top - bottom) / height) * (1 + 2 * MARGIN);
  return centred((left + right) / 2, (bottom + top) / 2, span);
}

function centred(middleX, middleY, perPixel) {
  const halfWidth = (perPixel * map.clientWidth) / 2;
  const halfHeight = (perPixel * map.clientHeight) / 2;
  return { x: [middleX - halfWidth, middleX + halfWidth], y: [middleY - halfHeight, middleY + halfHeight] };
}

const whole = () => around(0, 1, 0, 1);
const current = () => ({ x: [...map.layout.xaxis.range], y: [...map.layout.yaxis.range] });
const perPixel = (view = current()) => (view.x[1] - view.x[0]) / map.clientWidth;

function size() {
  const zoom = map.layout ? perPixel(whole()) / perPixel() : 1;
  return base * Math.min(2.5, Math.max(1, zoom ** 0.4));
}

function look(view) {
  return Plotly.relayout(map, { "xaxis.range": view.x, "yaxis.range": view.y });
}

function move(right, up) {
  const { x: xs, y: ys } = current();
  const [dx, dy] = [(xs[1] - xs[0]) * right, (ys[1] - ys[0]) * up];
  look({ x: [xs[0] + dx, xs[1] + dx], y: [ys[0] + dy, ys[1] + dy] });
}

/** Zoom by a factor, around a place of the map in pixels; by default its middle. */
function zoom(factor, left = map.clientWidth / 2, top = map.clientHeight / 2) {
  const view = current();
  const scale = perPixel(view);
  const fixedX = view.x[0] + left * scale;
  const fixedY = view.y[1] - top * scale;
  const next = Math.min(perPixel(whole()) * 2, Math.max(perPixel(whole()) / 2000, scale / factor));
  return look({
    x: [fixedX - left * next, fixedX + (map.clientWidth - left) * next],
    y: [fixedY - (map.clientHeight - top) * next, fixedY + top * next],
  });
}

function zoomToMarked() {
  if (!state.listed.length) return;
  const bounds = [1, 0, 1, 0];
  for (const text of state.listed) {
    bounds[0] = Math.min(bounds[0], x(text));
    bounds[1] = Math.max(bounds[1], x(text));
    bounds[2] = Math.min(bounds[2], y(text));
    bounds[3] = Math.max(bounds[3], y(text));
  }
  const least = 0.02; // of the map, around a single text
  const [left, right, bottom, top] = bounds;
  look(around(left - least, right + least, bottom - least, top + least));
}
