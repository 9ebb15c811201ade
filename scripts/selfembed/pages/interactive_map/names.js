// Names of clusters on the map: where they fit, the largest clusters first. More fit as one zooms in.

const namePlaces = facts.named === null ? [] : facts.models.map((_, number) => unpack(`names-${number}`));
const GAP = 3; // px between names
let nameTags = []; // of every class that has a name: its element, number, and size in pixels

function writeNames() {
  $("names-switch").hidden = facts.named === null;
  if (facts.named === null) return;
  const named = [...facts.colorings[facts.named].classes.entries()].filter(([, { name }]) => name !== null);
  const tags = named.map(([, { name }]) => written("span", "", name));
  $("names").replaceChildren(...tags);
  nameTags = named.map(([entry], place) => {
    const { offsetWidth: width, offsetHeight: height } = tags[place];
    return { tag: tags[place], entry, width, height };
  });
}

function placeNames(view = current()) {
  const taken = [];
  const scale = 1 / perPixel(view);
  const hidden = facts.named === state.coloring ? state.hidden[facts.named] : new Set();
  for (const { tag, entry, width, height } of nameTags) {
    const left = (namePlaces[state.model][2 * entry] / 65535 - view.x[0]) * scale - width / 2;
    const top = (view.y[1] - namePlaces[state.model][2 * entry + 1] / 65535) * scale - height / 2;
    const fits =
      !hidden.has(entry) &&
      left >= 0 &&
      top >= 0 &&
      left + width <= map.clientWidth &&
      top + height <= map.clientHeight &&
      taken.every(
        (other) =>
          left >= other.left + other.width + GAP ||
          other.left >= left + width + GAP ||
          top >= other.top + other.height + GAP ||
          other.top >= top + height + GAP,
      );
    if (fits) taken.push({ left, top, width, height });
    tag.style.visibility = fits ? "visible" : "hidden";
    tag.style.transform = `translate(${left}px, ${top}px)`;
  }
}

function switchNames() {
  const hidden = document.body.classList.toggle("without-names");
  $("names-switch").setAttribute("aria-pressed", String(!hidden));
}
