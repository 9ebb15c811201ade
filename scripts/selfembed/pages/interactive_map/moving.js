// Switching between models: points move from one map to the other.

async function showModel(model) {
  if (model === state.model || model >= facts.models.length) return;
  const before = state.model;
  state.before = before;
  state.model = model;
  $("models").querySelectorAll("input")[model].checked = true;
  describe();
  showNeighbors();
  hideHover();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    await draw();
    return;
  }
  const points = moving(before, model);
  frame(points, 0);
  document.body.classList.add("moving");
  await draw();
  await animate(points, () => state.model === model);
  if (state.model === model) document.body.classList.remove("moving");
}

function animate(points, wanted) {
  return new Promise((done) => {
    let started = null;
    const step = (now) => {
      started ??= now;
      const time = Math.min(1, (now - started) / DURATION);
      if (!wanted()) return done();
      frame(points, time < 0.5 ? 4 * time ** 3 : 1 - (2 - 2 * time) ** 3 / 2);
      if (time < 1) requestAnimationFrame(step);
      else done();
    };
    requestAnimationFrame(step);
  });
}

/** Where the points that are shown start and end, in pixels, and their colours, in the order of drawing. */
function moving(before, after) {
  const canvas = $("moving");
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(map.clientWidth * ratio);
  canvas.height = Math.round(map.clientHeight * ratio);
  const view = current();
  const scale = canvas.width / (view.x[1] - view.x[0]);
  const texts = [];
  const colors = [];
  for (const faint of state.marked ? [true, false] : [false]) {
    for (const entry of order) {
      if (state.hidden[state.coloring].has(entry)) continue;
      const color = pixel(coloring().classes[entry][state.theme], faint ? FAINT : OPAQUE);
      for (const text of members[entry]) {
        if (state.marked && !state.marked[text] !== faint) continue;
        texts.push(text);
        colors.push(color);
      }
    }
  }
  const places = (model) => [
    Float32Array.from(texts, (text) => (x(text, model) - view.x[0]) * scale),
    Float32Array.from(texts, (text) => (view.y[1] - y(text, model)) * scale),
  ];
  return {
    canvas,
    image: canvas.getContext("2d").createImageData(canvas.width, canvas.height),
    from: places(before),
    to: places(after),
    colors: Uint32Array.from(colors),
    disc: disc((size() * ratio) / 2),
  };
}

/** All points on their way, as discs in an image: plotly.js redraws too slowly to move them. */
function frame({ canvas, image, from, to, colors, disc }, part) {
  const { width, height } = canvas;
  const pixels = new Uint32Array(image.data.buffer).fill(0);
  for (let point = 0; point < colors.length; point++) {
    const left = Math.round(from[0][point] + (to[0][point] - from[0][point]) * part);
    const top = Math.round(from[1][point] + (to[1][point] - from[1][point]) * part);
    if (left < -9 || left > width + 9 || top < -9 || top > height + 9) continue;
    for (let place = 0; place < disc.length; place += 2) {
      const column = left + disc[place];
      const row = top + disc[place + 1];
      if (column >= 0 && column < width && row >= 0 && row < height) pixels[row * width + column] = colors[point];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Steps right and down from the middle of a disc to its pixels, one after the other. */
function disc(radius) {
  const found = [];
  const reach = Math.ceil(radius);
  for (let down = -reach; down <= reach; down++)
    for (let right = -reach; right <= reach; right++)
      if (right * right + down * down <= radius * radius) found.push(right, down);
  return Int16Array.from(found);
}

/** A colour #rrggbb with an opacity as a pixel of an image. */
function pixel(color, opacity) {
  const [red, green, blue] = [1, 3, 5].map((place) => parseInt(color.slice(place, place + 2), 16));
  return ((Math.round(opacity * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
