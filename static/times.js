// The times on a page. Without this script they are in the zone that the user has chosen, else in UTC, as of the response.

// The server's clock and the user's zone: attributes of <html>, or in the administration, whose <html> is Django's, <meta>.
const { now: shownAt = metaContent("now"), zone: chosenZone = metaContent("time-zone") } = document.documentElement.dataset;

function metaContent(name) {
  return document.querySelector(`meta[name=${name}]`)?.content;
}

// -- Elapsed times keep counting between two responses --------------------------------------------------------------

// How far the browser's clock is ahead of the server's, in seconds; never too much, or the past could seem to lie ahead.
// The server wrote its time after the browser sent the request, perhaps long before this script was loaded.
const requestStart = performance.getEntriesByType("navigation")[0]?.requestStart ?? performance.now();
const requestedAt = (Date.now() - performance.now() + requestStart) / 1000;
const clockOffset = requestedAt - (Number(shownAt) || requestedAt);

function elapsed(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

// The seconds of a deadline count only when it is near.
function remaining(seconds) {
  return seconds < 120 ? elapsed(seconds) : elapsed(seconds).replace(/ \d+ s$/, "");
}

function tick() {
  if (document.hidden) return;
  const now = Date.now() / 1000 - clockOffset;
  for (const time of document.querySelectorAll("time[data-since]")) {
    const since = Date.parse(time.dataset.since) / 1000;
    if (!Number.isNaN(since)) time.textContent = elapsed(now - since);
  }
  for (const time of document.querySelectorAll("time[data-until]")) {
    const until = Date.parse(time.dataset.until) / 1000;
    if (!Number.isNaN(until)) time.textContent = remaining(until - now);
  }
  // No event reports that something takes longer than usual.
  for (const part of document.querySelectorAll("[data-from][hidden]")) part.hidden = now < Date.parse(part.dataset.from) / 1000;
}

// -- A moment: how long ago it was, and on a click or a key the exact time, here and in UTC ---------------------------

const WEEK = 7 * 86400;
const zone = knownZone(chosenZone) ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
const PARTS = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" };
const here = new Intl.DateTimeFormat("en-GB", { ...PARTS, timeZone: zone });
const utc = new Intl.DateTimeFormat("en-GB", { ...PARTS, timeZone: "UTC" });
const utcClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short", timeZone: "UTC" });
const dated = new Intl.DateTimeFormat("en-GB", { ...PARTS, timeZoneName: undefined, timeZone: zone });
let showsExact = false;

// A browser may not know the zone that its user has chosen.
function knownZone(name) {
  try {
    return name && new Intl.DateTimeFormat("en-GB", { timeZone: name }) && name; // as it was chosen, not its alias
  } catch {
    return undefined;
  }
}

function ago(seconds) {
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86400);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

function until(seconds) {
  if (seconds < 3600) return `in ${Math.ceil(seconds / 60)} min`;
  if (seconds < 86400) return `in ${Math.ceil(seconds / 3600)} h`;
  return `in ${Math.ceil(seconds / 86400)} days`;
}

function showMoments() {
  for (const name of document.querySelectorAll("[data-time-zone]")) name.textContent = zone;
  for (const time of document.querySelectorAll("time[datetime]:not([data-since]):not([data-until])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const exact = exactly(at);
    time.title = exact;
    const { when, clock: isClock } = time.dataset;
    let text = exact;
    if (!showsExact && isClock !== undefined) text = eventTime(at);
    else if (!showsExact && when !== undefined) text = relative((Date.now() - at) / 1000 - clockOffset, exact);
    if (time.textContent !== text) time.textContent = text;
    if (when === undefined) continue;
    time.tabIndex = 0;
    time.setAttribute("role", "button");
    time.setAttribute("aria-pressed", showsExact);
  }
}

function exactly(at) {
  const [local, world] = [here.format(at), utc.format(at)];
  if (local === world) return local;
  const isSameDay = local.split(",")[0] === world.split(",")[0];
  return `${local} (${isSameDay ? utcClock.format(at) : world})`;
}

// With its date unless that is today; a line breaks only between date and time.
function eventTime(at) {
  const [date, time] = dated.format(at).split(", ");
  const [today] = dated.format(Date.now() - clockOffset * 1000).split(", ");
  return date === today ? time : `${date.replaceAll(" ", "\u00a0")}, ${time}`;
}

function relative(seconds, exact) {
  if (Math.abs(seconds) > WEEK) return exact;
  return seconds < 0 ? until(-seconds) : ago(seconds);
}

function toggleExact(event) {
  const time = event.target.closest?.("time:is([data-when], [data-clock])");
  if (!time || (event.type === "keydown" && !["Enter", " "].includes(event.key))) return;
  if (event.type === "keydown") event.preventDefault(); // space would scroll
  showsExact = !showsExact;
  showMoments();
}

document.addEventListener("click", toggleExact);
document.addEventListener("keydown", toggleExact);

// A moment that has the focus keeps it when its part of the page is replaced.
let focused = null;
document.addEventListener("htmx:beforeSwap", () => {
  focused = document.activeElement?.matches("time[data-when]") ? document.activeElement.dateTime : null;
});
document.addEventListener("htmx:afterSettle", () => {
  if (!focused || document.activeElement !== document.body) return;
  showMoments();
  document.querySelector(`time[data-when][datetime="${focused}"]`)?.focus({ preventScroll: true });
});
setInterval(showMoments, 30_000);
document.addEventListener("htmx:afterSwap", showMoments); // before the new part is painted

setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
document.addEventListener("htmx:afterSwap", tick);

tick();
showMoments();
