// The nearest texts of the selected text in the embedding space, and what is different in another model.

function showNeighbors() {
  const { selected, model, before } = state;
  const box = $("neighbors");
  const walking = box.contains(document.activeElement);
  box.hidden = selected === null;
  if (selected === null) return;
  const here = nearest(selected, model);
  const there = nearest(selected, before);
  const lost = there.filter((text) => !here.includes(text));
  $("nearest").replaceChildren(...here.map((text) => listItem(text, there.includes(text) ? "" : "new")));
  $("lost").replaceChildren(...lost.map((text) => listItem(text)));
  $("kept").textContent =
    model === before ? "" : `${here.length - lost.length} of ${here.length} also with ${facts.models[before]}`;
  $("lost-title").textContent = lost.length ? `Only with ${facts.models[before]}` : "";
  box.scrollTop = 0;
  if (walking) $("nearest").querySelector("button").focus(); // the button that was pressed is gone
}
