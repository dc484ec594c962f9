// Makes pages smoother and live. Every form, link and page works without it.
import "./times.js";

// -- After a swap, focus moves to what has changed ------------------------------------------------------------------

let shownPath = location.pathname;

document.addEventListener("htmx:afterSettle", (event) => {
  const swapped = event.target;
  const problem = swapped.querySelector?.(".problem");
  const pageChanged = location.pathname !== shownPath;
  shownPath = location.pathname;
  if (pageChanged) markCurrent();
  // A panel that refreshes itself must never take the focus; only a rejected form or a new page may.
  const wholePage = swapped.id === "main" || swapped.contains(document.getElementById("main"));
  if (!wholePage) return;
  if (problem) focusOn(problem);
  else if (pageChanged) focusOn(document.querySelector("h1") ?? swapped);
});

function focusOn(element) {
  element.tabIndex = -1;
  element.focus({ preventScroll: element.tagName === "H1" });
}

// Only <main> is swapped, so the bar would still mark the previous page.
function markCurrent() {
  for (const link of document.querySelectorAll(".bar nav a")) {
    if (location.pathname.startsWith(new URL(link.href).pathname)) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

// -- A field with hx-preserve keeps its focus, also where the browser cannot move elements -------------------------

let kept = null;

document.addEventListener("htmx:beforeSwap", () => {
  const element = document.activeElement;
  kept = element?.closest("[hx-preserve]") ? { element, start: element.selectionStart, end: element.selectionEnd } : null;
});

document.addEventListener("htmx:afterSwap", () => {
  if (!kept?.element.isConnected || document.activeElement === kept.element) return;
  kept.element.focus({ preventScroll: true });
  if (kept.start != null) kept.element.setSelectionRange(kept.start, kept.end); // a checkbox has none
});

// -- A failed request shows a message until one succeeds ------------------------------------------------------------

function showMessage(trouble) {
  for (const id of ["unreachable", "refused", "signed-out"]) {
    const note = document.getElementById(id);
    if (note) note.hidden = id !== trouble;
  }
}

document.addEventListener("htmx:sendError", () => showMessage("unreachable"));
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  showMessage(status === 401 ? "signed-out" : status >= 500 ? "unreachable" : "refused");
});
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (!event.detail.successful) return;
  // The banner polls by itself: its response only shows that the server is back.
  if (event.detail.elt.id !== "health") showMessage(null);
  else if (document.getElementById("unreachable")) document.getElementById("unreachable").hidden = true;
});

// -- A sign-in in another tab changes the CSRF token: open pages adopt the new one ----------------------------------

function renewToken() {
  const token = document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]+)/)?.[1];
  if (!token) return;
  for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
  if (document.body.hasAttribute("hx-headers")) document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
}

for (const event of ["submit", "change", "click"]) document.addEventListener(event, renewToken, true);
document.addEventListener("visibilitychange", renewToken);

// -- Buttons that need this script are hidden until it has loaded ---------------------------------------------------

function showButtons(root) {
  for (const button of root.querySelectorAll("[data-copy][hidden], [data-copy-from][data-ready][hidden], [data-reveal][hidden]")) {
    // The clipboard works only over HTTPS and on localhost.
    if (button.dataset.reveal !== undefined || navigator.clipboard) button.hidden = false;
  }
}

document.addEventListener("htmx:load", (event) => showButtons(event.target.parentElement ?? event.target));

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy], [data-copy-from], [data-reveal], [data-generate]");
  if (!button) return;
  if (button.dataset.reveal !== undefined) reveal(button);
  else if (button.dataset.generate === undefined) copy(button);
  else {
    event.preventDefault(); // without this script the server generates one
    generate(button);
  }
});

// Only the first word of a button changes; the rest of its name, for screen readers, stays.
const wordOf = (button) => button.querySelector("span") ?? button;

async function copy(button) {
  const word = wordOf(button);
  const source = document.getElementById(button.dataset.copyFrom);
  await navigator.clipboard.writeText(button.dataset.copy ?? source.value ?? source.textContent);
  button.dataset.before ??= word.textContent;
  word.textContent = button.dataset.done ?? "Copied";
  setTimeout(() => (word.textContent = button.dataset.before), 2000);
}

function reveal(button) {
  const field = document.getElementById(button.dataset.reveal);
  if (!field) return;
  const word = wordOf(button);
  const hidden = field.type === "password";
  button.dataset.before ??= word.textContent;
  field.type = hidden ? "text" : "password";
  word.textContent = hidden ? (button.dataset.done ?? "Hide") : button.dataset.before;
}

// Browsers remember the values of text fields, and a shown password is one.
function hidePasswords() {
  for (const button of document.querySelectorAll("[data-reveal]")) {
    if (document.getElementById(button.dataset.reveal)?.type === "text") reveal(button);
  }
}

document.addEventListener("submit", hidePasswords, true);

// -- A new password: four groups of five characters, shown until the page is left --------------------------------------

function generate(button) {
  const fields = button.dataset.generate.split(" ").map((id) => document.getElementById(id));
  const password = makePassword(button.dataset.alphabet);
  for (const field of fields) {
    field.value = password;
    const showButton = document.querySelector(`[data-reveal="${field.id}"]`);
    if (field.type === "password" && showButton) reveal(showButton);
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const copyButton = document.querySelector(`[data-copy-from="${fields[0].id}"]`);
  if (copyButton && navigator.clipboard) copyButton.hidden = false;
}

function makePassword(alphabet) {
  for (;;) {
    let characters = "";
    while (characters.length < 20) {
      // Bytes beyond a multiple of the alphabet's length would make its first characters likelier.
      const [byte] = crypto.getRandomValues(new Uint8Array(1));
      if (byte < 256 - (256 % alphabet.length)) characters += alphabet[byte % alphabet.length];
    }
    const password = characters.match(/.{5}/g).join("-");
    const isMixed = /[a-z]/.test(password) && /[A-Z]/.test(password) && /[0-9]/.test(password);
    if (isMixed && !/(.)\1{3}/.test(password)) return password;
  }
}

// -- A file that is chosen, or dropped on a text box, fills it in -----------------------------------------------------

document.addEventListener("change", async ({ target }) => {
  const box = target.files?.length && document.getElementById(target.dataset.fill);
  if (!box) return;
  box.value = await target.files[0].text();
  target.value = ""; // it is in the text box now
  box.dispatchEvent(new Event("change", { bubbles: true }));
});

const dropped = (event) => event.target.matches?.("[data-drop]") && event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => dropped(event) && event.preventDefault());
document.addEventListener("drop", async (event) => {
  if (!dropped(event)) return;
  event.preventDefault();
  event.target.value = await event.dataTransfer.files[0].text();
  event.target.dispatchEvent(new Event("change", { bubbles: true }));
});

// -- Live pages: one stream for all tabs, in a worker, and polling while there is no stream ----------------------------

const POLL = 3000; // milliseconds
const RECONNECT_GRACE = 10000; // milliseconds; a page that reconnects for longer says that it polls
const HEARTBEAT = 15000; // milliseconds; how often a visible tab tells the worker that it is there

const words = { live: "Live", reconnecting: "Reconnecting…", polling: "Checking every 3 s" };
const page = document.documentElement.dataset;
const sources = new Set();

let worker = null;
let state = "reconnecting";
let since = Date.now();

// Stands in for htmx's EventSource: passes on the messages about one topic.
class TopicSource extends EventTarget {
  constructor(address) {
    super();
    this.address = address;
    const { searchParams, hash } = new URL(address, location);
    this.topic = searchParams.get("topic");
    this.cursor = hash.slice(1);
    this.readyState = EventSource.OPEN;
  }

  close() {
    this.readyState = EventSource.CLOSED;
    if (sources.delete(this)) watch();
  }
}

if (window.htmx) htmx.createEventSource = (address) => {
  const source = new TopicSource(address);
  sources.add(source);
  watch();
  return source;
};

// A hidden page watches nothing, except what its user wants to be notified of.
const watchedSources = () => [...sources].filter(({ ended, whenHidden }) => !ended && (whenHidden || !document.hidden));

function watch() {
  connect();
  worker?.postMessage({ topics: watchedSources().map(({ topic, cursor }) => [topic, cursor]), hidden: document.hidden });
  showState();
}

// Each session has its own worker, so a page never receives messages meant for an earlier sign-in.
function connect() {
  if (worker || !page.stream) return;
  try {
    worker = window.SharedWorker ? new SharedWorker(page.stream, page.session).port : new Worker(page.stream);
    worker.onmessage = ({ data }) => (data.state ? setState(data.state) : receive(data));
  } catch {
    setState("refused"); // a browser without workers: the page polls
  }
}

function receive({ event, topic, cursor }) {
  for (const source of [...sources]) {
    if (topic && source.topic !== topic) continue;
    if (cursor) source.cursor = cursor;
    if (event === "end") source.ended = true; // `changed` came before it
    source.dispatchEvent(new MessageEvent(event, { data: cursor ?? "" }));
  }
}

function setState(now) {
  if (now !== state) since = Date.now();
  state = now;
  showState();
}

function showState() {
  const indicator = document.getElementById("connection");
  if (!indicator) return;
  const isPolling = state === "refused" || (state === "reconnecting" && Date.now() - since > RECONNECT_GRACE);
  const kind = isPolling ? "polling" : state;
  indicator.hidden = !sources.size;
  indicator.dataset.state = kind;
  if (indicator.lastElementChild.textContent !== words[kind]) indicator.lastElementChild.textContent = words[kind];
}

// No message follows the end of a topic: the page is requested until it shows the end.
function poll() {
  showState();
  if (document.hidden) return;
  for (const { address, ended } of sources) {
    if (state === "live" && !ended) continue;
    for (const element of document.querySelectorAll(`[sse-connect="${CSS.escape(address)}"]`)) {
      if (element.id !== "live" || element.querySelector("[data-open]")) htmx.trigger(element, "poll");
    }
  }
}

setInterval(poll, POLL);
setInterval(() => (notices || !document.hidden) && watch(), HEARTBEAT);
document.addEventListener("visibilitychange", watch);
addEventListener("pagehide", () => worker?.postMessage({ topics: [] }));
document.addEventListener("submit", ({ target }) => target.matches("[data-sign-out]") && worker?.postMessage({ signOut: true }));

// -- The browser's own notifications: a button turns them on, and they appear while the page is hidden -----------------

const CHOICE = "notify";
let notices = null; // the source of notices, while this page shows notifications

const notifies = () => window.Notification?.permission === "granted" && localStorage.getItem(CHOICE) === "on";

function offerNotices() {
  for (const button of document.querySelectorAll("[data-notify]")) {
    // Browsers notify only over HTTPS and on localhost.
    button.hidden = !window.Notification || !window.isSecureContext || !page.stream;
    button.disabled = window.Notification?.permission === "denied";
    button.setAttribute("aria-pressed", notifies());
    if (button.disabled) button.textContent = "This browser blocks notifications";
    if (!notices && notifies()) watchNotices(button.dataset.notify);
  }
  if (notices && !notifies()) {
    notices.close();
    notices = null;
  }
}

function watchNotices(address) {
  const known = new Set();
  let isFirst = true;
  notices = new TopicSource("/stream?topic=notices");
  notices.whenHidden = true;
  notices.addEventListener("changed", async () => {
    const response = await fetch(address, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    for (const { id, title, text, path } of (await response.json()).notices) {
      if (known.has(id)) continue;
      known.add(id);
      if (isFirst || !document.hidden) continue; // older than this page, or on a page that the user sees
      // The tag is the same in every tab, so that one notification appears.
      const shown = new Notification(title, { body: text, tag: id });
      shown.onclick = () => {
        focus();
        location.assign(path);
      };
    }
    isFirst = false;
  });
  sources.add(notices);
  watch();
}

document.addEventListener("click", async ({ target }) => {
  if (!target.closest?.("[data-notify]")) return;
  const isOn = notifies();
  if (!isOn && (await Notification.requestPermission()) !== "granted") return offerNotices();
  localStorage.setItem(CHOICE, isOn ? "off" : "on");
  offerNotices();
});

document.addEventListener("htmx:afterSettle", offerNotices);

// -- The account menu also closes on Escape and on a click elsewhere -------------------------------------

function closeMenu({ type, key, target }) {
  const menu = document.querySelector("#account[open]");
  if (!menu || (type === "keydown" ? key !== "Escape" : menu.contains(target))) return;
  menu.open = false;
  if (type === "keydown") menu.querySelector("summary").focus();
}

document.addEventListener("click", closeMenu);
document.addEventListener("keydown", closeMenu);

// -- Another theme takes effect at once -----------------------------------------------------------------------------

document.addEventListener("theme", ({ detail: { name, scheme } }) => {
  document.querySelector("meta[name=color-scheme]").content = scheme;
  for (const button of document.querySelectorAll(".theme button")) button.ariaPressed = String(button.value === name);
});

// -- What was typed survives a refresh of the panel, even if its form is gone for a while ----------------------------

const typed = new Map();

document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  if (target.id !== "live") return;
  for (const field of target.querySelectorAll("[data-keep] :is(input, textarea)[id]")) {
    if (field.type === "file") continue; // its text is in the text box
    if (field.value !== field.defaultValue || field.checked !== field.defaultChecked) typed.set(field.id, field);
  }
});

document.addEventListener("htmx:afterSettle", () => {
  for (const [id, { value, checked }] of typed) {
    const field = document.querySelector(`[data-keep] #${id}`);
    if (field && typed.delete(id)) Object.assign(field, { value, checked });
  }
});

document.addEventListener("submit", () => typed.clear());

// -- A page restored from the browser's cache is reloaded -----------------------------------------------------------

addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  hidePasswords();
  for (const field of document.querySelectorAll("input[type=password]")) field.value = "";
  // Not reload(): the page may be the response to a POST, which must not be sent again.
  location.replace(location.pathname + location.search);
});

showButtons(document);
offerNotices();
// A form rejected without htmx comes back as a whole page: focus its errors too.
if (document.querySelector(".problem")) focusOn(document.querySelector(".problem"));
