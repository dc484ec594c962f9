// One event stream for all tabs of a browser. It runs as a shared worker; where there is none, as a worker of one tab.
//
// A tab posts { topics: [[name, cursor], …], hidden }: all that it shows now. A hidden tab shows nothing, but it may list
// what its user wants to be notified of. The worker watches the topics of all tabs with one stream. It posts
// { event, topic, cursor } when a tab shows something out of date, and { state } when the stream is "live",
// "reconnecting" or "refused". A tab that posts { signOut: true } ends the stream for all of them.

// milliseconds
const STREAM_TIMEOUT = 40_000; // the server sends something at least every 15 s
const TAB_TIMEOUT = 60_000; // a visible tab posts every 15 s: after so long it has crashed
const HIDDEN_TAB_TIMEOUT = 240_000; // browsers wake a hidden tab once a minute
const REOPEN_DELAY = 50; // who goes to another tab hides one and shows one: reopen once
const SHORTEST_SHOWN = 1000; // a shorter interruption is not shown
const LONGEST_WAIT = 64_000;

const tabs = new Map(); // port → { topics: Map(name → cursor), seenAt, timeout }
const latest = new Map(); // topic → cursor, as the open stream says
const ended = new Set(); // topics of the open stream after which nothing follows

let stream = null;
let openTopics = ""; // the topics of the open stream, with commas
let lastMessageAt = 0;
let state = "reconnecting";
let wait = 1000;
let nextOpening; // a timer
let announcement = 0; // a timer, while an interruption is still too short to be shown

// -- Tabs -----------------------------------------------------------------------------------------------------------

function addTab(port) {
  port.onmessage = ({ data }) => (data.signOut ? signOut(port) : setTopics(port, data));
}

function setTopics(port, { topics, hidden }) {
  const isNew = !tabs.has(port);
  const timeout = hidden ? HIDDEN_TAB_TIMEOUT : TAB_TIMEOUT;
  tabs.set(port, { topics: new Map(topics), seenAt: Date.now(), timeout });
  if (isNew) port.postMessage({ state });
  for (const [topic, cursor] of latest) notifyTabs(topic, cursor);
  openAfter(REOPEN_DELAY);
}

function signOut(port) {
  tabs.delete(port);
  close();
  setState("refused");
  for (const tab of tabs.keys()) tab.postMessage({ event: "auth" });
}

// A tab gets only what it does not show already.
function notifyTabs(topic, cursor) {
  for (const [port, { topics }] of tabs) {
    if (!topics.has(topic) || topics.get(topic) === cursor) continue;
    topics.set(topic, cursor);
    port.postMessage({ event: "changed", topic, cursor });
  }
}

function setState(now) {
  if (now === "reconnecting" && announcement) return;
  clearTimeout(announcement);
  announcement = 0;
  if (now === "reconnecting" && state === "live") announcement = setTimeout(announce, SHORTEST_SHOWN, now);
  else if (now !== state) announce(now);
}

function announce(now) {
  announcement = 0;
  state = now;
  for (const port of tabs.keys()) port.postMessage({ state });
}

// -- The stream -----------------------------------------------------------------------------------------------------

const wanted = () => [...new Set([...tabs.values()].flatMap(({ topics }) => [...topics.keys()]))].sort();

function openAfter(delay) {
  clearTimeout(nextOpening);
  nextOpening = setTimeout(open, delay);
}

function open() {
  const topics = wanted();
  const isWatched = stream && topics.join() === openTopics.split(",").filter((topic) => !ended.has(topic)).join();
  if (isWatched && stream.readyState !== EventSource.CLOSED) return;
  close();
  if (!topics.length) return;
  openTopics = topics.join();
  setState("reconnecting");
  stream = new EventSource(`/stream?${new URLSearchParams(topics.map((topic) => ["topic", topic]))}`, { withCredentials: true });
  stream.addEventListener("changed", ({ data }) => {
    noteMessage();
    const [topic, cursor] = data.split(" ");
    latest.set(topic, cursor);
    notifyTabs(topic, cursor);
  });
  stream.addEventListener("ping", noteMessage);
  stream.addEventListener("end", ({ data: topic }) => {
    ended.add(topic);
    for (const [port, { topics }] of tabs) if (topics.delete(topic)) port.postMessage({ event: "end", topic });
    if (!wanted().length) close();
  });
  stream.addEventListener("auth", () => {
    close();
    refuse();
    for (const port of tabs.keys()) port.postMessage({ event: "auth" });
  });
  // The browser reconnects by itself, unless the server has refused.
  stream.onerror = ({ target }) => (target.readyState === EventSource.CLOSED ? refuse() : setState("reconnecting"));
}

function noteMessage() {
  lastMessageAt = Date.now();
  wait = 1000;
  setState("live");
}

function refuse() {
  setState("refused");
  openAfter(wait);
  wait = Math.min(2 * wait, LONGEST_WAIT);
}

function close() {
  stream?.close();
  stream = null;
  openTopics = "";
  lastMessageAt = 0;
  latest.clear();
  ended.clear();
}

setInterval(() => {
  const now = Date.now();
  for (const [port, tab] of tabs) if (tab.topics.size && now - tab.seenAt > tab.timeout) tabs.delete(port);
  // An open stream that stays silent is blocked: by a proxy that buffers, or by a lost connection.
  if (lastMessageAt && now - lastMessageAt > STREAM_TIMEOUT) {
    close();
    setState("reconnecting");
  }
  if (!stream && wanted().length && state !== "refused") openAfter(0);
}, 10_000);

if (typeof SharedWorkerGlobalScope === "undefined") addTab(self);
else self.onconnect = ({ ports: [port] }) => addTab(port);
