// A text: its card, pointed at or selected.

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

function button(className, content, onClick) {
  const made = written("button", className, content);
  made.addEventListener("click", onClick);
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
    const value = values[number] ? values[number][text] : entry.name;
    if (value === null) return;
    const line = element("div", "class");
    line.append(dot(entry), written("span", "", values[number] ? `${each.name}: ${value}` : value));
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
    const close = button("close", "×", () => select(null));
    close.setAttribute("aria-label", "Close");
    box.replaceChildren(close, ...card(text));
    box.scrollTop = 0;
  }
  showNeighbors();
  for (const hit of $("hits").querySelectorAll("button"))
    hit.setAttribute("aria-current", String(Number(hit.dataset.text) === text));
  return drawRings();
}

/** Move the view, if a text is outside it. */
function bringIntoView(text) {
  const view = current();
  const inside = x(text) > view.x[0] && x(text) < view.x[1] && y(text) > view.y[0] && y(text) < view.y[1];
  if (!inside) look(centred(x(text), y(text), perPixel(view)));
}
