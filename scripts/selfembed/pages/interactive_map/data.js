// What the file holds, and the state of the page. Texts are other people's words: they reach the page through textContent
// alone, never as HTML.

const $ = (id) => document.getElementById(id);
const facts = JSON.parse($("facts").textContent);
const { ids, titles, texts, values } = JSON.parse($("texts").textContent);
const positions = facts.models.map((_, number) => unpack(`positions-${number}`));
const classes = facts.colorings.map((_, number) => unpack(`classes-${number}`));
const neighbors = facts.models.map((_, number) => unpack(`neighbors-${number}`, Int32Array));
const map = $("map");

const MOST_LISTED = 50; // texts found
const MARGIN = 0.04; // around the whole map, of its size
const OPAQUE = 0.8; // a point
const FAINT = 0.08; // a point that is not marked
const DURATION = 700; // ms of a switch between models
const area = map.clientWidth * map.clientHeight;
const base = Math.max(2.4, Math.min(9, 0.36 * Math.sqrt(area / texts.length))); // px, diameter of a point

const state = {
  theme: "light",
  model: 0,
  before: facts.models.length - 1, // the model that neighbours are compared with
  coloring: 0,
  hidden: facts.colorings.map(() => new Set()),
  found: null, // Uint8Array: 1 where a text is found; null without a search
  picked: null, // Uint8Array: 1 where a text is selected with a box or a lasso; null without
  marked: null, // Uint8Array: 1 where a text is found and selected; null without search and selection
  listed: [], // texts that are marked and not hidden
  mode: "pan", // what dragging does: "pan", "select" (a box) or "lasso"
  selected: null,
};
let members = []; // of every class: the numbers of its texts
let order = []; // the class of every trace, in the order of drawing
let haystack = null;

function unpack(id, Numbers = Uint16Array) {
  const binary = atob($(id).textContent);
  const bytes = new Uint8Array(binary.length);
  for (let place = 0; place < bytes.length; place++) bytes[place] = binary.charCodeAt(place);
  return new Numbers(bytes.buffer);
}

const coloring = () => facts.colorings[state.coloring];
const classOf = (text, number = state.coloring) => facts.colorings[number].classes[classes[number][text]];
const isHidden = (text) => state.hidden[state.coloring].has(classes[state.coloring][text]);
const x = (text, model = state.model) => positions[model][2 * text] / 65535;
const y = (text, model = state.model) => positions[model][2 * text + 1] / 65535;
const nearest = (text, model) => [...neighbors[model].subarray(text * facts.neighbors, (text + 1) * facts.neighbors)];
const className = (entry) => entry.name ?? coloring().rest;
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
