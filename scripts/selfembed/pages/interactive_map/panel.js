// Legend, switches and theme.

function listModels() {
  facts.models.forEach((name, place) => {
    const label = element("label");
    const input = element("input");
    input.type = "radio";
    input.name = "models";
    input.addEventListener("change", () => showModel(place));
    label.append(input, element("span", "", name));
    $("models").append(label);
  });
  $("models").hidden = facts.models.length < 2;
}

function listColorings() {
  $("colorings").append(...facts.colorings.map(({ name }) => written("option", "", name)));
  $("colorings").addEventListener("change", () => showColoring($("colorings").selectedIndex));
  $("coloring").hidden = facts.colorings.length < 2;
}

function showLegend() {
  $("note").textContent = coloring().note;
  $("classes").replaceChildren(
    ...coloring().classes.map((entry, place) => {
      const item = element("li");
      const turn = (hidden) => hidden.delete(place) || hidden.add(place);
      const keep = (hidden) => {
        members.forEach((_, other) => hidden.add(other));
        hidden.delete(place);
      };
      const toggle = button("toggle", "", () => hide(turn));
      const name = written("span", "name", className(entry));
      toggle.append(dot(entry), name, element("span", "number", number(entry.count)));
      const only = button("only", "only", () => hide(keep));
      only.setAttribute("aria-label", `Only ${className(entry)}`);
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
  placeNames();
  const visible = order.map((entry) => !state.hidden[state.coloring].has(entry));
  return Plotly.restyle(map, { visible }, [...order.keys()]);
}

function showColoring(place) {
  state.coloring = place;
  $("colorings").selectedIndex = place;
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
