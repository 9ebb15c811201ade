// Search, and the list of texts found.

function search() {
  const wanted = folded($("query").value.trim());
  haystack ??= texts.map((text, place) => folded(`${titles ? titles[place] : ""}\n${text}`));
  state.found = wanted ? Uint8Array.from(haystack, (text) => text.includes(wanted)) : null;
  if (state.selected !== null) select(state.selected);
  return mark();
}

function list() {
  const { found, picked, marked } = state;
  const all = [];
  for (let text = 0; text < texts.length; text++) if ((!marked || marked[text]) && !isHidden(text)) all.push(text);
  state.listed = all;
  const within = state.hidden[state.coloring].size ? " in the classes shown" : "";
  const first = all.length > MOST_LISTED ? `; the first ${MOST_LISTED}:` : "";
  const how = found ? `found${picked ? " in the selection" : ""}` : "selected";
  $("count").textContent = marked ? `${counted(all.length, "text")} ${how}${within}${first}` : "";
  $("hits").replaceChildren(...(marked ? all : []).slice(0, MOST_LISTED).map((text) => listItem(text)));
}

/** A text as an item of a list, which a click selects. */
function listItem(text, tag = "") {
  const item = element("li");
  const hit = button("", "", () => step(text));
  hit.dataset.text = text;
  hit.append(...marked("", heading(text)).childNodes);
  item.append(hit);
  if (tag) item.append(element("span", "tag", tag));
  return item;
}

function step(text) {
  select(text);
  bringIntoView(text);
}

/** The next text of the list, or the one before. */
function next(direction) {
  const { listed, marked, selected } = state;
  if (!marked || !listed.length) return;
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
