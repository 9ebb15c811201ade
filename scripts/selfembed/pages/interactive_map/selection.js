// Texts selected with a box or a lasso, and the export of texts as csv.

/** Dragging draws a box ("select") or a lasso from now on; if it does so already, it moves the map ("pan") again. */
function setMode(mode) {
  state.mode = state.mode === mode ? "pan" : mode;
  $("box").setAttribute("aria-pressed", String(state.mode === "select"));
  $("lasso").setAttribute("aria-pressed", String(state.mode === "lasso"));
  return Plotly.relayout(map, { dragmode: state.mode });
}

function onSelected(event) {
  if (!event?.range && !event?.lassoPoints) return; // the outline of plotly.js was removed
  const picked = new Uint8Array(texts.length);
  for (const point of event.points) if (textAt(point) !== null) picked[textAt(point)] = 1;
  pick(picked);
}

/** Select texts (Uint8Array: 1 where a text is selected), or with null none. */
function pick(picked) {
  state.picked = picked;
  $("unpick").hidden = picked === null;
  return mark({ selections: [] }); // without the outline of plotly.js
}

/** Mark the texts that are found and selected; fade all others. */
function mark(change = {}) {
  const { found, picked } = state;
  state.marked = found && picked ? found.map((hit, text) => hit & picked[text]) : (found ?? picked);
  list();
  const selectedpoints = order.map((entry) => markedIn(members[entry]));
  return Plotly.update(map, { selectedpoints }, change, [...order.keys()]);
}

/** The texts of the list as csv: RFC 4180, in UTF-8 with a byte order mark, which spreadsheets need. */
function csv() {
  const names = facts.colorings.map(({ name }, number) => (values[number] ? name : name.toLowerCase()));
  const rows = [["id", ...(titles ? ["title"] : []), "text", ...names]];
  for (const text of state.listed)
    rows.push([
      ids[text],
      ...(titles ? [titles[text]] : []),
      texts[text],
      ...names.map((_, number) => (values[number] ? values[number][text] : classOf(text, number).name) ?? ""),
    ]);
  const cell = (content) => (/[",\r\n]/.test(content) ? `"${content.replaceAll('"', '""')}"` : content);
  return `\ufeff${rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("")}`;
}

function exportTexts() {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
  link.download = `${facts.title}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000); // the browser may ask where to save
}
