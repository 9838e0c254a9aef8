import { Painter } from "./painter.js";
import { Picture, Refusal } from "./picture.js";
import { say } from "./words.js";

const DRAFT = 0.5; // of the size at which it is painted, while somebody drags a slider
const LOOK = 1024; // pixels of the longer side of a painting whose style is borrowed
const MOST = 6_000_000; // pixels of a download
const OWN = "/own"; // names of styles have no slash

const $ = (id) => document.getElementById(id);
const state = { photo: null, name: "", own: null };
let painter;
let wish = 0; // counts what people ask for, so that the last one is always painted
let busy = false;

function label(style) {
  return style.split(/[\s_]+|-(?=\w\w)/).map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join(" ");
}

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function report(error) {
  $("status").textContent = error instanceof Refusal ? say(error.message) : `${say("failed")} ${error.message ?? error}`;
  $("status").className = "error";
}

function note(word) {
  $("status").textContent = word ? say(word) : "";
  $("status").className = "";
}

// Styles that are chosen, and their weights, whose sum is the strength.
async function chosen() {
  const [first, second] = [document.querySelector("[name=style]:checked")?.value, $("second").value];
  const [strength, share] = [Number($("strength").value), second ? Number($("mix").value) : 0];
  const parts = [[first, strength * (1 - share)], [second, strength * share]].filter(([name, weight]) => name && weight);
  const styles = await Promise.all(parts.map(([name]) => (name === OWN ? state.own : painter.style(name))));
  return { styles, weights: parts.map(([, weight]) => weight) };
}

// The photo, painted at a part of the size for strokes, at the size that `at` makes of it.
async function paint(part, at) {
  const { width, height } = state.photo.bitmap;
  const small = state.photo.sized(...painter.workingSize(width, height, part * painter.book.size));
  const before = at(small);
  const { styles, weights } = await chosen();
  const after = styles.length ? painter.finish(before, await painter.strokes(small, styles, weights)) : before;
  return { before, after };
}

function draw(canvas, image) {
  Object.assign(canvas, { width: image.width, height: image.height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

async function show(part) {
  const { before, after } = await paint(part, (small) => small);
  draw($("photo"), before);
  draw($("painting"), after);
  $("result").style.setProperty("--shape", before.width / before.height);
}

async function repaint() {
  wish += 1;
  $("strength-value").textContent = `${Math.round(100 * $("strength").value)} %`;
  $("mix-value").textContent = `${Math.round(100 * $("mix").value)} %`;
  $("mix").disabled = !$("second").value;
  if (busy || !painter || !state.photo) return;
  busy = true;
  note("working");
  try {
    for (let granted = 0; granted !== wish; ) {
      granted = wish;
      await show(DRAFT);
      if (granted === wish) await show(1);
      document.body.dataset.shown = granted;
    }
    $("download").disabled = false;
    note();
  } catch (error) {
    report(error);
  } finally {
    busy = false;
  }
}

async function open(file, name) {
  try {
    state.photo = await Picture.read(file);
    state.name = name.replace(/\.\w+$/, "");
    await repaint();
  } catch (error) {
    report(error);
  }
}

async function borrow(file) {
  try {
    const picture = await Picture.read(file);
    state.own = await painter.look(picture.within(LOOK));
    const tile = document.querySelector(`[name=style][value="${OWN}"]`);
    tile.checked = true;
    tile.nextElementSibling.style.backgroundImage = `url(${URL.createObjectURL(file)})`;
    await repaint();
  } catch (error) {
    report(error);
  }
}

async function download() {
  $("download").disabled = true;
  note("finishing");
  try {
    const { after: image } = await paint(1, () => state.photo.atMost(MOST));
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext("2d").putImageData(image, 0, 0);
    const style = document.querySelector("[name=style]:checked")?.value.replace("/", "");
    const href = URL.createObjectURL(await canvas.convertToBlob({ type: "image/png" }));
    make("a", { href, download: [state.name, style].filter(Boolean).join(" ") + ".png" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    note();
    if (image.width < state.photo.bitmap.width) $("status").textContent = `${say("shrunk")} ${image.width} × ${image.height}.`;
  } catch (error) {
    report(error);
  } finally {
    $("download").disabled = false;
  }
}

function tile(value, text, picture) {
  const input = make("input", { type: "radio", name: "style", value });
  const image = make("i", {});
  if (picture) image.style.backgroundImage = `url("${picture}")`;
  return make("label", { className: "tile" }, input, image, make("span", { textContent: text }));
}

function furnish({ title, samples }) {
  $("title").textContent = document.title = title;
  const address = (name) => `samples/${encodeURIComponent(name)}`;
  $("second").append(make("option", { value: "", textContent: say("none") }));
  for (const { name, title, artist, year } of painter.book.styles) {
    const picture = samples.includes(`${name}.jpg`) ? address(`${name}.jpg`) : "";
    const style = tile(name, title ?? label(name), picture);
    style.title = [artist, year].filter(Boolean).join(", ");
    $("styles").append(style);
    $("second").append(make("option", { value: name, textContent: title ?? label(name) }));
  }
  const own = tile(OWN, say("own"));
  own.classList.add("own");
  // a click, or the space bar, asks for the painting; the tile is checked once there is one
  own.firstChild.addEventListener("click", (event) => {
    if (!state.own) event.preventDefault();
    $("own-file").click();
  });
  $("styles").append(own);
  if (painter.book.styles.length) document.querySelector("[name=style]").checked = true;

  const photos = samples.filter((name) => name.startsWith("photo-"));
  photos.forEach((name, number) => {
    const picture = make("img", { src: address(name), alt: `${say("example")} ${number + 1}` });
    const button = make("button", { className: "example" }, picture);
    button.addEventListener("click", async () => open(await (await fetch(address(name))).blob(), name));
    $("examples").append(button);
  });
  return photos.length ? address(photos[0]) : null;
}

function listen() {
  for (const id of ["strength", "mix", "second"]) $(id).addEventListener("input", repaint);
  $("styles").addEventListener("change", repaint);
  $("split").addEventListener("input", () => $("result").style.setProperty("--split", `${$("split").value}%`));
  $("download").addEventListener("click", download);
  const first = (use, { files }) => files.length && use(files[0], files[0].name);
  for (const [id, use] of [["file", open], ["own-file", borrow]]) {
    $(id).addEventListener("change", ({ target }) => {
      first(use, target);
      target.value = ""; // the same file can be chosen again
    });
  }
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
  document.addEventListener("drop", ({ dataTransfer }) => first(open, dataTransfer));
  document.addEventListener("paste", ({ clipboardData }) => first(open, clipboardData));
}

async function start() {
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const [id, word] of [["split", "split"], ["photo", "photo"], ["painting", "painting"], ["examples", "examples"]]) {
    $(id).setAttribute("aria-label", say(word));
  }
  note("loading");
  try {
    painter = await Painter.load();
    const example = furnish(await (await fetch("site.json")).json());
    listen();
    note("ready");
    if (example) await open(await (await fetch(example)).blob(), "example.jpg");
  } catch (error) {
    report(error);
  }
}

start();
