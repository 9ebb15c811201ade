"use strict";

// Texts are other people's words: they reach the page through textContent alone, never as HTML.
(() => {
  const $ = (id) => document.getElementById(id);
  const facts = JSON.parse($("facts").textContent);
  const { titles, texts } = JSON.parse($("texts").textContent);
  const positions = facts.models.map((_, number) => unpack(`positions-${number}`));
  const classes = facts.colorings.map((_, number) => unpack(`classes-${number}`));
  const map = $("map");

  const MOST_LISTED = 50; // texts found
  const MARGIN = 0.04; // around the whole map, of its size
  const OPAQUE = 0.8; // a point
  const FAINT = 0.08; // a point that is not found
  const DURATION = 700; // ms of a switch between models
  const area = map.clientWidth * map.clientHeight;
  const base = Math.max(2.4, Math.min(9, 0.36 * Math.sqrt(area / texts.length))); // px, diameter of a point

  const state = {
    theme: "light",
    model: 0,
    coloring: 0,
    hidden: facts.colorings.map(() => new Set()),
    found: null, // Uint8Array: 1 where a text is found; null without a search
    listed: [],
    selected: null,
  };
  let members = []; // of every class: the numbers of its texts
  let order = []; // the class of every trace, in the order of drawing
  let haystack = null;

  // Data ------------------------------------------------------------------------------------------------------

  function unpack(id) {
    const binary = atob($(id).textContent);
    const bytes = new Uint8Array(binary.length);
    for (let place = 0; place < bytes.length; place++) bytes[place] = binary.charCodeAt(place);
    return new Uint16Array(bytes.buffer);
  }

  const coloring = () => facts.colorings[state.coloring];
  const classOf = (text, number = state.coloring) => facts.colorings[number].classes[classes[number][text]];
  const isHidden = (text) => state.hidden[state.coloring].has(classes[state.coloring][text]);
  const x = (text, model = state.model) => positions[model][2 * text] / 65535;
  const y = (text, model = state.model) => positions[model][2 * text + 1] / 65535;
  const className = (entry) => entry.name ?? `no ${coloring().name.toLowerCase()}`;
  const number = (value) => value.toLocaleString("en");
  const counted = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
  const heading = (text) => (titles && titles[text]) || texts[text];

  function group() {
    members = coloring().classes.map((entry) => new Uint32Array(entry.count));
    const filled = new Uint32Array(members.length);
    classes[state.coloring].forEach((entry, text) => (members[entry][filled[entry]++] = text));
    // Small classes above large ones, and what has no class below all.
    order = [...members.keys()].sort(
      (a, b) => (coloring().classes[b].name === null) - (coloring().classes[a].name === null) || a - b,
    );
  }

  // Drawing ---------------------------------------------------------------------------------------------------

  function coordinates(of, model = state.model) {
    return [Float32Array.from(of, (text) => x(text, model)), Float32Array.from(of, (text) => y(text, model))];
  }

  function foundIn(of) {
    if (!state.found) return null;
    const places = [];
    of.forEach((text, place) => state.found[text] && places.push(place));
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
        selectedpoints: foundIn(members[entry]),
        selected: { marker: { opacity: 1 } },
        unselected: { marker: { opacity: FAINT } },
      };
    });
    return [...found, ring()];
  }

  function ring() {
    const [xs, ys] = coordinates(state.selected === null ? [] : [state.selected]);
    const ink = state.theme === "dark" ? "#ffffff" : "#000000";
    return {
      type: "scattergl",
      mode: "markers",
      x: xs,
      y: ys,
      hoverinfo: "skip",
      marker: { symbol: "circle-open", color: ink, size: base + 10, line: { width: 2.5, color: ink } },
    };
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
      dragmode: "pan",
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

  function draw(view = current()) {
    return Plotly.react(map, traces(), layout(view), config);
  }

  // The view --------------------------------------------------------------------------------------------------

  /** Ranges of both axes around a rectangle, with the same scale on both. */
  function around(left, right, bottom, top, margin = MARGIN) {
    const { clientWidth: width, clientHeight: height } = map;
    const span = Math.max((right - left) / width, (top - bottom) / height) * (1 + 2 * margin);
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

  function zoomToFound() {
    const shown = texts.map((_, text) => text).filter((text) => state.found[text] && !isHidden(text));
    if (!shown.length) return;
    const bounds = [1, 0, 1, 0];
    for (const text of shown) {
      bounds[0] = Math.min(bounds[0], x(text));
      bounds[1] = Math.max(bounds[1], x(text));
      bounds[2] = Math.min(bounds[2], y(text));
      bounds[3] = Math.max(bounds[3], y(text));
    }
    const least = 0.02; // of the map, around a single text
    const [left, right, bottom, top] = bounds;
    look(around(left - least, right + least, bottom - least, top + least));
  }

  // Switching between models ----------------------------------------------------------------------------------

  async function showModel(model) {
    if (model === state.model || model >= facts.models.length) return;
    const before = state.model;
    state.model = model;
    $("models").querySelectorAll("input")[model].checked = true;
    describe();
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
    for (const faint of state.found ? [true, false] : [false]) {
      for (const entry of order) {
        if (state.hidden[state.coloring].has(entry)) continue;
        const color = pixel(coloring().classes[entry][state.theme], faint ? FAINT : OPAQUE);
        for (const text of members[entry]) {
          if (state.found && !state.found[text] !== faint) continue;
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

  // A text ----------------------------------------------------------------------------------------------------

  function element(tag, className, content) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (content !== undefined) made.textContent = content;
    return made;
  }

  /** An element with a text of any script, written from its side. */
  function written(tag, className, content) {
    const made = element(tag, className, content);
    made.dir = "auto";
    return made;
  }

  /** A text with what is searched marked. */
  function marked(className, content) {
    const made = written("div", className);
    let end = 0;
    for (const [start, stop] of occurrences(content, folded($("query").value.trim()))) {
      made.append(content.slice(end, start), element("mark", "", content.slice(start, stop)));
      end = stop;
    }
    made.append(content.slice(end));
    return made;
  }

  /** What a search compares: without case, and with one form of every letter (ß and ss, full and half width, é and e + ´). */
  function folded(content) {
    return content.normalize("NFKD").toUpperCase().toLowerCase().normalize("NFKD").replaceAll("ς", "σ");
  }

  /** Where a folded query stands in a text: starts and ends of whole characters. */
  function occurrences(content, query) {
    if (!query) return [];
    let all = "";
    const starts = []; // of the character that each unit of the folded text comes from
    const ends = [];
    let place = 0;
    for (const character of content) {
      const units = folded(character);
      for (let unit = 0; unit < units.length; unit++) {
        starts.push(place);
        ends.push(place + character.length);
      }
      all += units;
      place += character.length;
    }
    const found = [];
    for (let at = all.indexOf(query); at >= 0; at = all.indexOf(query, at + query.length)) {
      const start = starts[at];
      const end = ends[at + query.length - 1];
      if (!found.length || start >= found.at(-1)[1]) found.push([start, end]);
    }
    return found;
  }

  function card(text) {
    const parts = [];
    if (titles && titles[text]) parts.push(marked("title", titles[text]));
    parts.push(marked("text", texts[text]));
    facts.colorings.forEach((each, number) => {
      const entry = classOf(text, number);
      if (entry.name === null) return;
      const line = element("div", "class");
      line.append(dot(entry), written("span", "", entry.name));
      parts.push(line);
    });
    return parts;
  }

  function dot(entry) {
    const made = element("span", "dot");
    made.style.background = entry[state.theme];
    made.setAttribute("aria-hidden", "true");
    return made;
  }

  function textAt(point) {
    return point && point.curveNumber < order.length ? members[order[point.curveNumber]][point.pointNumber] : null;
  }

  function showHover({ points, event }) {
    const text = textAt(points[0]);
    if (text === null || document.body.classList.contains("moving")) return;
    const box = $("hover");
    box.replaceChildren(...card(text));
    box.hidden = false;
    const frame = map.getBoundingClientRect();
    const [left, top] = [event.clientX - frame.left, event.clientY - frame.top];
    const roomRight = frame.width - left - 16 >= box.offsetWidth;
    const roomBelow = frame.height - top - 16 >= box.offsetHeight;
    box.style.left = `${Math.max(4, roomRight ? left + 14 : left - 14 - box.offsetWidth)}px`;
    box.style.top = `${Math.max(4, roomBelow ? top + 14 : top - 14 - box.offsetHeight)}px`;
  }

  function hideHover() {
    $("hover").hidden = true;
  }

  function select(text) {
    state.selected = text;
    const box = $("selected");
    box.hidden = text === null;
    if (text !== null) {
      const close = element("button", "close", "×");
      close.type = "button";
      close.setAttribute("aria-label", "Close");
      close.addEventListener("click", () => select(null));
      box.replaceChildren(close, ...card(text));
      box.scrollTop = 0;
    }
    for (const button of $("hits").querySelectorAll("button"))
      button.setAttribute("aria-current", String(Number(button.dataset.text) === text));
    const { x: xs, y: ys, marker } = ring();
    return Plotly.restyle(map, { x: [xs], y: [ys], marker: [marker] }, [order.length]);
  }

  /** Move the view, if a text is outside it. */
  function bringIntoView(text) {
    const view = current();
    const inside = x(text) > view.x[0] && x(text) < view.x[1] && y(text) > view.y[0] && y(text) < view.y[1];
    if (!inside) look(centred(x(text), y(text), perPixel(view)));
  }

  // Search ----------------------------------------------------------------------------------------------------

  function search() {
    const wanted = folded($("query").value.trim());
    haystack ??= texts.map((text, place) => folded(`${titles ? titles[place] : ""}\n${text}`));
    state.found = wanted ? Uint8Array.from(haystack, (text) => text.includes(wanted)) : null;
    list();
    if (state.selected !== null) select(state.selected);
    const selectedpoints = order.map((entry) => foundIn(members[entry]));
    return Plotly.restyle(map, { selectedpoints }, [...order.keys()]);
  }

  function list() {
    const all = [];
    if (state.found) state.found.forEach((hit, text) => hit && !isHidden(text) && all.push(text));
    state.listed = all;
    const within = state.hidden[state.coloring].size ? " in the classes shown" : "";
    const first = all.length > MOST_LISTED ? `; the first ${MOST_LISTED}:` : "";
    $("count").textContent = state.found ? `${counted(all.length, "text")} found${within}${first}` : "";
    $("hits").replaceChildren(
      ...all.slice(0, MOST_LISTED).map((text) => {
        const item = element("li");
        const button = written("button");
        button.type = "button";
        button.dataset.text = text;
        button.append(...marked("", heading(text)).childNodes);
        button.addEventListener("click", () => step(text));
        item.append(button);
        return item;
      }),
    );
  }

  function step(text) {
    select(text);
    bringIntoView(text);
  }

  /** The next text found, or the one before. */
  function next(direction) {
    const { listed, selected } = state;
    if (!listed.length) return;
    const place = listed.indexOf(selected);
    const start = place < 0 ? (direction > 0 ? -1 : 0) : place;
    step(listed[(start + direction + listed.length) % listed.length]);
  }

  function clear() {
    $("query").value = "";
    search();
  }

  let waiting = null;

  function searchSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(search, texts.length > 20000 ? 250 : 80);
  }

  // Panel -----------------------------------------------------------------------------------------------------

  function radios(id, names, choose) {
    names.forEach((name, place) => {
      const label = element("label");
      const input = element("input");
      input.type = "radio";
      input.name = id;
      input.checked = place === 0;
      input.addEventListener("change", () => choose(place));
      label.append(input, element("span", "", name));
      $(id).append(label);
    });
    $(id).hidden = names.length < 2;
  }

  function showLegend() {
    $("note").textContent = coloring().note;
    $("classes").replaceChildren(
      ...coloring().classes.map((entry, place) => {
        const item = element("li");
        const toggle = element("button", "toggle");
        toggle.type = "button";
        toggle.append(
          dot(entry),
          written("span", "name", className(entry)),
          element("span", "number", number(entry.count)),
        );
        toggle.addEventListener("click", () => hide((hidden) => hidden.delete(place) || hidden.add(place)));
        const only = element("button", "only", "only");
        only.type = "button";
        only.setAttribute("aria-label", `Only ${className(entry)}`);
        only.addEventListener("click", () =>
          hide((hidden) => members.forEach((_, other) => (other === place ? hidden.delete(other) : hidden.add(other)))),
        );
        item.append(toggle, only);
        return item;
      }),
    );
    pressed();
  }

  function pressed() {
    const hidden = state.hidden[state.coloring];
    const total = coloring().classes.filter((entry) => entry.name !== null).length;
    $("classes")
      .querySelectorAll(".toggle")
      .forEach((toggle, place) => toggle.setAttribute("aria-pressed", String(!hidden.has(place))));
    $("shown").textContent = hidden.size
      ? `${number(members.length - hidden.size)} of ${number(members.length)} shown`
      : `${number(total)} ${total === 1 ? "class" : "classes"}`;
  }

  function hide(change) {
    change(state.hidden[state.coloring]);
    pressed();
    list();
    hideHover();
    const visible = order.map((entry) => !state.hidden[state.coloring].has(entry));
    return Plotly.restyle(map, { visible }, [...order.keys()]);
  }

  function showColoring(place) {
    state.coloring = place;
    $("colorings").querySelectorAll("input")[place].checked = true;
    group();
    showLegend();
    list();
    describe();
    return draw();
  }

  function describe() {
    const total = facts.total > texts.length ? `a random ${number(texts.length)} of ` : "";
    $("size").textContent = `${total}${counted(facts.total, "text")}`;
    map.setAttribute(
      "aria-label",
      `Map of ${total}${counted(facts.total, "text")}, placed by ${facts.models[state.model]} and coloured by ` +
        `${coloring().name.toLowerCase()} (${coloring().classes.length}). Near texts are alike. ` +
        "The search lists texts to read.",
    );
  }

  // Theme -----------------------------------------------------------------------------------------------------

  function storedTheme() {
    try {
      return localStorage.getItem("selfembed-theme");
    } catch {
      return null; // a browser may forbid storage
    }
  }

  function setTheme(theme) {
    state.theme = theme;
    document.documentElement.dataset.theme = theme;
  }

  function redrawTheme(theme) {
    setTheme(theme);
    showLegend();
    hideHover();
    if (state.selected !== null) select(state.selected);
    return draw();
  }

  function otherTheme() {
    const theme = state.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("selfembed-theme", theme);
    } catch {
      // Not remembered, then.
    }
    redrawTheme(theme);
  }

  // Keys and fingers ------------------------------------------------------------------------------------------

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
    Escape: () => (state.found ? clear() : select(null)),
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
      else if (event.key === "Enter") search().then(() => state.found && zoomToFound());
      else return;
      event.preventDefault();
      return;
    }
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

  // Start -----------------------------------------------------------------------------------------------------

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
})();
