// Shows the entries of the event stream and sends the forms.

import { words } from "./words.js";

const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const wide = matchMedia("(min-width: 1100px)");
const middling = matchMedia("(min-width: 760px)");

// The oldest rows and messages beyond this number are removed.
const MAX_ROWS = 400;

let about = { samples: [], chats: [], accesses: [], fleet: [], plan: [] };
let state = null;
let burst = null;
let filter = null; // msgUuid: only the invocations of this message are shown
let unread = 0;
const messages = new Map();
const invocations = new Map();
const calls = [];

// ── Words, theme and small helpers ──

const chosen = new URLSearchParams(location.search);
let language = chosen.get("lang") ?? recall("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
if (!words[language]) language = "en";
let theme = chosen.get("theme") ?? recall("theme") ?? "auto";

function recall(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}

function remember(name, value) {
  try { localStorage.setItem(name, value); } catch { /* the choice is lost on reload */ }
}

/** Returns the text for `key` in the page's language. */
function word(key, ...values) {
  const found = words[language][key];
  return typeof found === "function" ? found(...values) : found;
}

/** Returns what the playground knows of the group's chat. */
const chat = () => about.chats.find(({ id }) => id === state?.chat) ?? about.chats[0]
  ?? { id: "dingtalk", prefix: "DINGTALK_", fields: [], hasSecret: false, rate: 0, members: { mobiles: [], userIds: [] }, faults: [] };
const chatName = () => words[language].chats[chat().id];

/** Returns true for a message or a call of the group's chat. */
const isHere = (entry) => !state || entry.chat === state.chat;

/** Creates an element: `make("p.hint", {id: "x"}, "text", child)`. Strings are never markup. */
function make(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElement(tag);
  element.classList.add(...classes);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

const number = (value) => value.toLocaleString(language === "zh" ? "zh-CN" : "en-US");

/** Returns what the playground's clock shows, in milliseconds since 1970. */
const now = () => Date.now() + (state?.aheadMs ?? 0);

/** Formats a time in the zone of the messages: `2026-11-27 09:00:00`. */
const stamp = (ms) => formats.stamp.format(ms);
/** Times of another day than that of the start have their date. */
const clock = (ms) => stamp(ms).slice(stamp(ms).startsWith(stamp(about.run ?? ms).slice(0, 10)) ? 11 : 5);
const minute = (ms) => clock(ms).slice(0, -3);
/** The same with the day of the week. */
const day = (ms) => `${formats.weekday.format(ms)} ${stamp(ms)}`;

let formats = formatsIn(undefined);

function formatsIn(timeZone) {
  try {
    return {
      stamp: new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone }),
      weekday: new Intl.DateTimeFormat(language, { weekday: "short", timeZone }),
    };
  } catch {
    return formatsIn("UTC"); // a zone that this browser does not know
  }
}

/** Formats a duration in two units at most. */
function duration(ms) {
  const minutes = Math.floor(ms / 60000);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return word("days", Math.floor(hours / 24), hours % 24);
  return hours ? word("hours", hours, minutes % 60) : word("minutes", minutes);
}

const headline = (event) => (language === "zh" ? event.zh : event.en) || event.event || word("noEvent");

function toast(text, kind = "") {
  const note = make("p", {}, text);
  if (kind) note.classList.add(kind);
  $("toasts").append(note);
  while ($("toasts").children.length > 3) $("toasts").firstChild.remove();
  setTimeout(() => note.remove(), 7000);
}

/** Posts to an endpoint of the playground. Returns status and answer. */
async function post(path, body = {}) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    return { ok: response.ok, ...answer };
  } catch {
    return { ok: false, problem: word("gone") };
  }
}

async function act(path, body) {
  const answer = await post(path, body);
  if (!answer.ok) toast(answer.problem, "bad");
  return answer.ok;
}

// ── Event stream ──

async function begin() {
  await loadAbout();
  showAll();
  const stream = new EventSource("/events");
  stream.addEventListener("open", loadAbout);
  stream.addEventListener("error", showHealth);
  stream.addEventListener("message", ({ data }) => handle(JSON.parse(data)));
  begin.stream = stream;
}

/** Loads what does not change. Reloads the page if the playground was restarted. */
async function loadAbout() {
  try {
    const current = await (await fetch("/about")).json();
    if (about.run && about.run !== current.run) location.reload();
    about = current;
    $("where").textContent = about.invokeUrl;
    showHealth();
  } catch { /* the stream's error handler shows it */ }
}

function handle(entry) {
  if (entry.type === "message") {
    const isKnown = messages.has(entry.number);
    messages.set(entry.number, entry);
    // Which invocations it is of, may be known later.
    if (isKnown) showAbout(entry);
    else if (isHere(entry)) showMessage(entry);
    showTold();
  } else if (entry.type === "invocation") {
    const before = invocations.get(entry.number);
    invocations.set(entry.number, entry);
    showInvocation(entry);
    if (entry.status != null && before && before.status == null) finished(entry);
    if (entry.status != null) showLookUp();
    if (entry.tick != null) showTold();
  } else if (entry.type === "call") {
    calls.unshift(entry.call);
    calls.length = Math.min(calls.length, 60);
    showCalls();
  } else if (entry.type === "state") {
    state = entry;
    showState();
  } else if (entry.type === "burst") {
    burst = entry;
    showBurst();
  }
}

function finished(invocation) {
  if (invocation.status !== 200) showFailure();
  if (invocation.burst) return;
  const rules = invocation.outcomes.includes("filtered") ? ` ${word("by", invocation.rules.join(", "))}` : "";
  toast(`${badge(invocation)}${rules}: ${what(invocation)}`, invocation.status === 200 ? "good" : "bad");
}

// ── The group ──

function showMessage(message) {
  const log = $("log");
  const wasAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.querySelector(".empty")?.remove();
  log.append(bubble(message));
  while (log.children.length > MAX_ROWS) log.firstChild.remove();
  showEntry(message);
  if (!isVisible("group")) unread += 1;
  showUnread();
  if (wasAtEnd) log.scrollTop = log.scrollHeight;
  else $("newer").hidden = false;
}

/** Shows the group in the list of conversations. */
function showEntry(message) {
  $("entry-title").textContent = message?.title ?? "";
  $("entry-time").textContent = message ? minute(message.at) : "";
}

function bubble(message) {
  // The playground has sanitised it: only the tags of the chat's markup.
  const text = make("div.markdown");
  text.innerHTML = message.html;
  const buttons = message.buttons.map(({ title, href }) =>
    make("a.button", { href, target: "_blank", rel: "noopener noreferrer" }, title));
  const name = word(message.fallback ? "robotSecond" : "robot");
  const parts = [
    message.heading ? make("p.heading", {}, message.heading) : null,
    text,
    buttons.length ? make("div.buttons", {}, ...buttons) : null,
    message.note ? make("p.small", {}, message.note) : null,
  ].filter(Boolean);
  return make("article.message", { id: `message-${message.number}`, "data-chat": message.chat },
    make("img.avatar", { src: "/icon.svg", alt: "", width: 36, height: 36 }),
    make("div.said", {},
      make("p.who", {}, make("b", {}, name), make("span.tag", {}, word("robotTags")[message.chat]),
        make("time", {}, clock(message.at))),
      make("div.bubble", { "data-color": message.color }, ...parts),
      make("p.about", {}, aboutMessage(message))));
}

function showAbout(message) {
  $(`message-${message.number}`)?.querySelector(".about").replaceChildren(aboutMessage(message));
}

/** Returns the line below a message: its size and its invocations. */
function aboutMessage(message) {
  const count = [...invocations.values()].filter((one) => message.uuid && one.uuids.includes(message.uuid)).length;
  const parts = [make("span", {}, word("bytes", number(message.bytes)))];
  if (count) {
    parts.push(make("button.link", { type: "button", onclick: () => onlyOf(message.uuid) }, word("caused", count)));
  }
  return make("span", {}, ...parts);
}

function showMessages() {
  const log = $("log");
  // Screen readers must not announce old messages again.
  log.setAttribute("aria-live", "off");
  const shown = [...messages.values()].filter(isHere);
  log.replaceChildren(...shown.slice(-MAX_ROWS).map(bubble));
  if (shown.length) showEntry(shown.at(-1));
  else {
    showEntry(null);
    log.append(make("p.empty.hint", {}, word("empty")));
  }
  log.scrollTop = log.scrollHeight;
  setTimeout(() => log.setAttribute("aria-live", "polite"), 500);
}

function onlyOf(uuid) {
  filter = uuid;
  view("calls");
  showInvocations();
  $("all").focus();
}

// ── Invocations ──

function what(invocation) {
  if (invocation.tick != null) return word("tickOf", minute(invocation.tick));
  const [first] = invocation.events;
  if (!first) return word("noEvent");
  const rest = invocation.count - 1;
  return rest ? `${headline(first)} ${word("more", language === "zh" ? invocation.count : rest)}` : headline(first);
}

/** Returns true for a tick that told nothing. */
const isNothing = ({ tick, told }) => tick != null && told === 0;

function badge(invocation) {
  const { status, errorType, outcomes } = invocation;
  if (status == null) return word("running");
  if (status === 0) return word("noReply");
  if (status !== 200) return errorType ?? `HTTP ${status}`;
  if (isNothing(invocation)) return word("nothingDue");
  return outcomes.map((outcome) => word("outcomes")[outcome]).join(", ") || "HTTP 200";
}

function kindOf({ status, outcomes }) {
  if (status == null) return "running";
  if (status !== 200) return "failed";
  return outcomes.includes("delivered") ? "delivered" : "passed";
}

function row(invocation) {
  const { number: n, at, tookMs, burst: inBurst, ours } = invocation;
  const facts = [`#${n}`, clock(at), tookMs == null ? null : word("ms", tookMs),
    inBurst ? word("inBurst", inBurst) : null, ours ? null : word("byGuest")];
  const details = make("details", {},
    make("summary", {},
      make("span.badge", {}, badge(invocation)),
      make("span.what", {}, what(invocation)),
      make("span.facts", {}, facts.filter(Boolean).join(" · "))),
    make("div.detail"));
  details.addEventListener("toggle", () => {
    if (details.open) showDetail(n, details.querySelector(".detail"));
  });
  return make(`li.${kindOf(invocation)}`, { id: `invocation-${n}` }, details,
    invocation.remedies.length ? make("p.remedy", {}, invocation.remedies.join(" ")) : null,
    invocation.remarks.length ? make("p.note", {}, remarksOf(invocation)) : null);
}

/** Returns what the function wrote on stderr, without the request's id. */
function remarksOf({ requestId, remarks }) {
  return remarks.map((remark) => remark.replace(`request ${requestId}: `, "")).join(" ");
}

function showInvocation(invocation) {
  const list = $("invocations");
  list.querySelector(".empty")?.remove();
  const old = $(`invocation-${invocation.number}`);
  const fresh = row(invocation);
  fresh.hidden = filter != null && !invocation.uuids.includes(filter);
  if (old) {
    const hadFocus = old.contains(document.activeElement);
    fresh.querySelector("details").open = old.querySelector("details").open;
    old.replaceWith(fresh);
    if (hadFocus) fresh.querySelector("summary").focus();
  } else {
    // Newest first. After a reload the entries arrive in the order of their last change.
    const isOlder = (item) => Number(item.id.replace("invocation-", "")) < invocation.number;
    list.insertBefore(fresh, [...list.children].find(isOlder) ?? null);
    while (list.children.length > MAX_ROWS) list.lastChild.remove();
  }
  for (const uuid of invocation.uuids) {
    for (const message of messages.values()) if (message.uuid === uuid) showAbout(message);
  }
}

function showInvocations() {
  const shown = [...invocations.values()]
    .filter((one) => filter == null || one.uuids.includes(filter))
    .sort((a, b) => b.number - a.number)
    .slice(0, MAX_ROWS);
  $("invocations").replaceChildren(...shown.map(row));
  if (!shown.length) $("invocations").append(make("li.empty.hint", {}, word("callsNothing")));
  $("all").hidden = filter == null;
}

async function showDetail(n, place) {
  const invocation = invocations.get(n);
  const response = await fetch(`/invocation?number=${n}`);
  if (!response.ok) return;
  const detail = await response.json();
  const part = (title, text) => [make("h4", {}, title), make("pre", { tabindex: 0 }, text)];
  const role = detail.apiCalls ? "x-fc-access-key-id: STS.…\nx-fc-access-key-secret: …\nx-fc-security-token: …\n" : "";
  const head = detail.ours
    ? `POST /invoke\ncontent-type: application/octet-stream\nx-fc-request-id: ${detail.requestId}\nx-fc-function-timeout: 60\nx-fc-region: cn-hangzhou\n${role}\n`
    : "POST /invoke\n\n";
  const answer = detail.answer;
  const headers = answer?.headers.map(([name, value]) => `${name}: ${value}\n`).join("") ?? "";
  const answered = answer ? `HTTP ${answer.status}\n${headers}\n${answer.body}` : word("running");
  const lines = detail.log.map((line) => JSON.stringify(line, null, 1)).join("\n");
  const message = [...messages.values()].find((one) => isHere(one) && invocation.uuids.includes(one.uuid));
  const facts = [
    ["factId", detail.requestId],
    ["factOutcome", badge(invocation)],
    ["factRule", invocation.rules.join(", ")],
    ["factClass", invocation.classes.join(", ")],
    ["factLookUp", lookUpWords(invocation)],
    ["factBytes", [...new Set(detail.calls.map((call) => word("bytes", number(call.bytes))))].join(", ")],
    ["factUuid", invocation.uuids.join(", ")],
    ["factRemedy", invocation.remedies.join(" ")],
  ].filter(([, value]) => value);
  place.replaceChildren(
    make("dl", {}, ...facts.flatMap(([key, value]) => [make("dt", {}, word(key)), make("dd", {}, value)])),
    message ? make("p.row", {}, make("button", { type: "button", onclick: () => goTo(message) }, word("showMessage"))) : "",
    ...part(word("request"), head + detail.request),
    ...part(word("answer"), answered),
    ...part(word("logLines"), lines || word("noLog")),
    ...(detail.remarks.length ? part(word("stderr"), detail.remarks.join("\n")) : []),
    make("h4", {}, word("callsOf")),
    detail.calls.length
      ? make("ol.wire", {}, ...detail.calls.map(callLine))
      : make("p.hint", {}, word("noCalls")),
    make("h4", {}, word("apiCallsTitle")),
    detail.apiCalls?.length
      ? make("ol.wire", {}, ...detail.apiCalls.map(apiCallLine))
      : make("p.hint", {}, word(detail.apiCalls ? "noApiCalls" : "noRole")));
}

function goTo(message) {
  view("group");
  const element = $(`message-${message.number}`);
  element?.scrollIntoView({ block: "start" });
  element?.setAttribute("tabindex", "-1");
  element?.focus({ preventScroll: true });
}

// ── Fire ──

const KINDS = ["Instance", "Disk", "Snapshot", "NetworkInterface", "CloudAssistant", "Batch", "other"];

function showSamples() {
  const wanted = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = about.samples.filter((sample) => {
    const text = [sample.zh, sample.en, sample.event, sample.file, sample.level].join(" ").toLowerCase();
    return wanted.every((part) => text.includes(part));
  });
  const byKind = Map.groupBy(found, (sample) => (KINDS.includes(sample.kind) ? sample.kind : "other"));
  const parts = KINDS.filter((kind) => byKind.has(kind)).flatMap((kind) => [
    make("h3", {}, word("kinds")[kind]),
    make("ul.samples", {}, ...byKind.get(kind).map(sampleRow)),
  ]);
  $("samples").replaceChildren(...parts);
  $("found").textContent = word("found", found.length);
}

function sampleRow(sample) {
  const title = headline(sample);
  const shape = word("shapes")[sample.shape];
  return make("li", {},
    make("button.sample", { type: "button", "data-file": sample.file, onclick: () => act("/fire", { file: sample.file }) },
      make("span.title", {}, title),
      make("span.hint", {}, ...breakable(sample.event), shape ? ` · ${shape}` : "")),
    make("button.quiet.edit", { type: "button", "aria-label": word("edit", title), title: word("edit", title), onclick: () => edit(sample) }, "✎"));
}

/** Returns a long name that can wrap after its colons and dots. */
function breakable(name) {
  return name.split(/(?<=[.:])/).flatMap((part) => [part, make("wbr")]);
}

async function edit(sample) {
  const response = await fetch(`/sample?file=${sample.file}`);
  if (!response.ok) return;
  $("own-json").value = (await response.json()).json;
  $("own").open = true;
  $("own").scrollIntoView({ block: "start" });
  $("own-json").focus();
}

function showBurst() {
  if (!burst) return;
  $("burst-progress").hidden = false;
  $("burst-stop").hidden = burst.finished;
  $("burst-bar").max = burst.count;
  $("burst-bar").value = burst.done;
  const tally = Object.entries(burst.outcomes)
    .map(([outcome, count]) => `${word("outcomes")[outcome] ?? outcome} ${count}`)
    .join(", ");
  const waits = burst.finished ? "" : ` · ${word("burstWaits", chat().rate)}`;
  $("burst-tally").textContent = word("burstTally", burst.done, burst.count, tally) + waits;
}

$("search").addEventListener("input", showSamples);
$("repeat").addEventListener("click", () => act("/repeat"));
$("burst-stop").addEventListener("click", () => act("/burst/stop"));
$("burst-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  act("/burst", {
    count: Number(form.get("count")), seconds: Number(form.get("seconds")), mixed: form.get("mixed") === "yes",
  });
});
$("own-form").addEventListener("submit", (event) => {
  event.preventDefault();
  act("/fire", { json: $("own-json").value });
});

// ── Time ──

const HOUR = 3600000;

/** Sets a text only if it is another: a screen reader may be reading it. */
function setText(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

function showClock() {
  if (!state) return;
  const ms = now();
  setText("clock", day(ms));
  const ahead = state.aheadMs ? word("ahead", duration(state.aheadMs)) : word("notAhead");
  setText("ahead", `${state.zone} · ${ahead}`);
  setText("tick", word("tick", stamp(ms - (ms % HOUR) + HOUR).slice(11, 16)));
  setText("morning", word("morning", stamp(ms).slice(11) < "09:00:00"));
  for (const [index, planned] of about.plan.entries()) setText(`planned-${index}`, countdown(planned, ms));
}

function countdown({ begins, ends, status }, ms) {
  if (ms < begins) return `${word("planStatus")[status]} · ${word("inTime", duration(begins - ms))}`;
  return word("planStatus")[ms < ends ? "Executing" : "Executed"];
}

function showPlan() {
  const line = (planned, index) => {
    const resource = about.fleet.find(({ id }) => id === planned.instance);
    const facts = [resource?.name, planned.region, planned.disk ? word("planDisk", planned.disk) : null];
    return make("li", {},
      make("span", {}, headline(planned)),
      make("span.hint", {}, facts.filter(Boolean).join(" · ")),
      make("span.hint", {}, `${day(planned.begins).slice(0, -3)} · `, make("strong", { id: `planned-${index}` })));
  };
  $("plan").replaceChildren(...about.plan.map(line));
  showClock();
}

/** Shows what the last tick came to. */
function showTold() {
  const ticks = [...invocations.values()].filter(({ tick, status }) => tick != null && status != null);
  const last = ticks.sort((a, b) => b.number - a.number)[0];
  if (!last) {
    $("told").replaceChildren(make("p.hint", {}, word("toldNothing")));
    return;
  }
  const shown = [...messages.values()].filter((one) => isHere(one) && last.uuids.includes(one.uuid));
  const link = (message) => make("li", {},
    make("button.link", { type: "button", onclick: () => goTo(message) }, message.title));
  const isRepeated = last.outcomes.join() === "duplicate";
  const explained = isNothing(last) ? word("nothingDueHint") : isRepeated ? word("repeatedHint") : last.errorMessage;
  $("told").replaceChildren(
    make("p", {}, make("strong", {}, badge(last)), ` · #${last.number} · ${what(last)}`),
    explained ? make("p.hint", {}, explained) : "",
    shown.length ? make("ul", {}, ...shown.map(link)) : "",
    last.remarks.length ? make("p.remark", {}, remarksOf(last)) : "");
}

for (const id of ["tick", "morning"]) {
  $(id).addEventListener("click", () => act("/time", { to: id, tick: true }));
}
$("set").addEventListener("toggle", () => {
  if (!$("set-to").value) $("set-to").value = stamp(now() + 24 * HOUR).slice(0, 16).replace(" ", "T");
});
$("set-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [to, tick] = [$("set-to").value, $("set-tick").checked];
  const answer = await post("/time", { to, tick });
  if (answer.ok && !tick) toast(word("moved", to.replace("T", " ")), "good");
  $("set-problem").hidden = answer.ok;
  $("set-problem").textContent = answer.ok ? "" : answer.problem;
});
setInterval(showClock, 1000);

// ── Configure ──

const FIELDS = [
  { name: "EVENT_LEVELS", byDefault: "CRITICAL,WARN", offers: ["CRITICAL", "CRITICAL,WARN", "CRITICAL,WARN,INFO", "none"] },
  { name: "EVENT_INCLUDE", example: "Instance:StateChange:Stopped,Disk:*" },
  { name: "EVENT_EXCLUDE", example: "*:Avoided,*:Canceled" },
  { name: "EVENT_ACCOUNTS", example: "1234567890123456" },
  { name: "EVENT_REGIONS", example: "cn-*" },
  { name: "EVENT_RESOURCES", example: "web-*" },
  { name: "EVENT_RESOURCES_EXCLUDE", example: "test-*" },
  { name: "EVENT_TAGS", example: "team=shop,env=prod*" },
  { name: "EVENT_TAGS_EXCLUDE", example: "env=test" },
  { name: "EVENT_QUIET_HOURS", example: "22:00-08:00" },
  { name: "EVENT_QUIET_LEVELS", example: "WARN,INFO" },
  { name: "MESSAGE_LANGUAGE", byDefault: "zh", offers: ["zh", "en"] },
  { name: "MESSAGE_TIME_ZONE", byDefault: "Asia/Shanghai", offers: ["Asia/Shanghai", "Asia/Singapore", "Europe/Berlin", "America/Los_Angeles", "UTC"] },
  { name: "MESSAGE_TAGS", example: "team,env" },
  { name: "MESSAGE_ACCOUNTS", example: "1234567890123456=prod" },
  { name: "MESSAGE_CONSOLE", byDefault: "china", offers: ["china", "international"] },
  { name: "MESSAGE_DIGEST_AT", example: "09:00" },
  { name: "MESSAGE_REMIND_BEFORE", example: "24h,1h" },
  { name: "MESSAGE_HEARTBEAT_AT", example: "Mon 09:00" },
  { of: "KEYWORD", example: "CloudMonitor" },
  { of: "AT_MOBILES", hint: () => word("members", chat().members.mobiles.join(", ")) },
  { of: "AT_USER_IDS", hint: () => word("members", chat().members.userIds.join(", ")) },
  { of: "AT_ALL", byDefault: "false", offers: ["false", "true"] },
  { of: "AT_LEVELS", byDefault: "CRITICAL", offers: ["CRITICAL", "CRITICAL,WARN"] },
  { of: "AT_TAG", example: "owner" },
  { of: "RATE_LIMIT", byDefault: () => chat().rate },
  { name: "RESOURCE_LOOKUP", byDefault: "auto", offers: ["auto", "off"] },
  { name: "RESOURCE_REGIONS", example: "cn-hangzhou,cn-shanghai" },
];

/** Returns the fields of the group's chat, each with the name of its variable. */
function fields() {
  const { prefix, fields: own } = chat();
  return FIELDS.filter(({ of }) => !of || own.includes(of))
    .map(({ of, byDefault, ...rest }) => ({
      ...rest, of, name: of ? prefix + of : rest.name,
      byDefault: typeof byDefault === "function" ? byDefault() : byDefault,
    }));
}

function showFields() {
  const held = state && showFields.chat === state.chat && readForm();
  showFields.chat = state?.chat;
  const text = ({ name, of, byDefault, example, offers, hint }) => make("div.field", {},
    make("label", { for: name }, word("labels")[of ?? name], make("code", {}, name)),
    make("input", {
      id: name, name, type: "text", autocomplete: "off", spellcheck: "false",
      placeholder: byDefault ? word("byDefault", byDefault) : example,
      list: offers ? `${name}-offers` : null,
      "aria-describedby": hint ? `${name}-hint` : null,
    }),
    offers ? make("datalist", { id: `${name}-offers` }, ...offers.map((value) => make("option", { value }))) : null,
    hint ? make("p.hint", { id: `${name}-hint` }, hint()) : null);
  const check = (name) => make("label.check", {},
    make("input", { id: name, name, type: "checkbox" }), make("span", {}, word("labels")[name]));
  $("fields").replaceChildren(
    ...fields().map(text), ...(chat().hasSecret ? [check("signing")] : []), check("fallback"),
    make("div.field", {}, make("label", { for: "more" }, word("labels").more),
      make("textarea", { id: "more", name: "more", rows: 2, spellcheck: "false", placeholder: "EVENT_LEVELS__ONCALL='CRITICAL'" })));
  if (held) fillForm(held);
  else if (state) fillForm(state.settings);
}

function readForm() {
  const vars = Object.fromEntries(fields().map(({ name }) => [name, $(name)?.value ?? ""]).filter(([, value]) => value));
  // The form does not show other chats' values; they stay as they are.
  const isOther = (name) => about.chats.some(({ id, prefix }) => id !== state?.chat && name.startsWith(prefix));
  for (const [name, value] of Object.entries(state?.settings.vars ?? {})) if (isOther(name)) vars[name] = value;
  return { vars, signing: $("signing")?.checked ?? state?.settings.signing ?? true, fallback: $("fallback")?.checked ?? false, more: $("more")?.value ?? "" };
}

function fillForm(settings) {
  for (const { name } of fields()) $(name).value = settings.vars[name] ?? "";
  if ($("signing")) $("signing").checked = settings.signing;
  $("fallback").checked = settings.fallback;
  $("more").value = settings.more;
}

function showFaults(problem, variables = []) {
  $("faults").hidden = !problem;
  $("fault-list").textContent = problem ?? "";
  for (const { name } of fields()) $(name).setAttribute("aria-invalid", variables.includes(name));
}

$("configure-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await post("/configure", readForm());
  showFaults(answer.ok ? null : answer.problem, answer.variables);
  if (answer.ok) toast(word("applied"), "good");
  else $("faults").focus();
});
$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("env").textContent);
  toast(word("copied"), "good");
});

// ── Look up ──

function showAccesses() {
  const radio = (name) => {
    const [title, explained] = word("accesses")[name];
    return make("label.access", {},
      make("input", {
        type: "radio", name: "access", value: name, checked: state?.access === name,
        onchange: () => act("/access", { access: name }),
      }),
      make("span", {}, make("span.title", {}, title), make("span.hint", {}, explained)));
  };
  const focused = document.activeElement?.name === "access" && document.activeElement.value;
  $("accesses").replaceChildren(...about.accesses.map(radio));
  if (focused) document.querySelector(`.access [value="${focused}"]`)?.focus();
}

/** Returns what became of an invocation's look-ups and how many calls they took. */
function lookUpWords({ lookups, apiCalls }) {
  if (!lookups.length) return "";
  return lookups.join(", ") + (apiCalls == null ? "" : ` · ${word("apiCalls", apiCalls)}`);
}

function showLookUp() {
  const since = showLookUp.since ?? 0;
  const last = [...invocations.values()]
    .filter(({ number: n, status }) => n > since && status != null)
    .sort((a, b) => b.number - a.number)[0];
  if (!last) {
    $("look-up").replaceChildren(make("p.hint", {}, word("lookUpNothing")));
    return;
  }
  const told = last.lookups.map((lookup) => word("lookups")[lookup] ?? lookup).join(" ");
  $("look-up").replaceChildren(
    make("p", {}, make("strong", {}, lookUpWords(last) || word("notAsked")), ` · #${last.number} · ${what(last)}`),
    told ? make("p.hint", {}, told) : "",
    last.remarks.length ? make("p.remark", {}, remarksOf(last)) : "");
}

function apiCallLine({ action, region, ids, status, code }) {
  const answer = status ? `HTTP ${status}${code ? ` ${code}` : ""}` : word("noReply");
  // Those who ask for maintenance name no ids.
  const parts = [action, region, ids ? word("ids", ids) : null, answer];
  return make("li", {}, parts.filter(Boolean).join(" · "));
}

function showFleet() {
  const codes = (texts) => texts.map((text) => make("code", {}, text));
  const line = ({ name, id, addresses, instance, tags }) => make("tr", {},
    make("th", { scope: "row" }, name, make("code", {}, id)),
    make("td", {}, ...codes(instance ? [`→ ${instance}`] : addresses)),
    make("td", {}, ...codes(tags)));
  const head = ["fleetResource", "fleetAddresses", "fleetTags"];
  const regions = Map.groupBy(about.fleet, ({ region }) => region);
  $("fleet").replaceChildren(
    make("thead", {}, make("tr", {}, ...head.map((key) => make("th", { scope: "col" }, word(key))))),
    ...[...regions].map(([region, resources]) => make("tbody", {},
      make("tr.region", {}, make("th", { colspan: 3, scope: "rowgroup" }, region)),
      ...resources.map(line))));
}

// ── Break ──

/** Returns title and explanation of a fault. */
const faultWords = (name) => word("faultsOf")[chat().id]?.[name] ?? word("groupFaults")[name];

function showGroupFaults() {
  const button = (name) => {
    const [title, explained] = faultWords(name);
    return make("button.group-fault", {
      type: "button", "data-fault": name, "aria-pressed": String(state?.fault === name),
      disabled: name === "clock" && state?.settings.signing === false,
      onclick: () => act("/break", { fault: name }),
    }, make("span.title", {}, title), make("span.hint", {}, explained));
  };
  const focused = document.activeElement?.dataset.fault;
  $("group-faults").replaceChildren(...chat().faults.map(button));
  if (focused) document.querySelector(`[data-fault="${focused}"]`)?.focus();
}

function showFailure() {
  const since = showFailure.since ?? 0;
  const failed = [...invocations.values()]
    .filter(({ number: n, status }) => n > since && status != null && status !== 200)
    .sort((a, b) => b.number - a.number)[0];
  if (!failed) {
    $("says").replaceChildren(make("p.hint", {}, word("saysNothing")));
    return;
  }
  $("says").replaceChildren(
    make("p", {}, make("b.error-type", {}, failed.errorType ?? word("noReply")), ` #${failed.number} · ${what(failed)}`),
    make("p", {}, failed.errorMessage ?? ""));
}

function callLine(call) {
  const code = call.errcode == null ? word("noAnswer", word("codes")[call.chat]) : `${word("codes")[call.chat]} ${call.errcode}`.trim();
  const answer = call.status ? `HTTP ${call.status}, ${code}` : code;
  const said = call.errcode == null || ["0", "ok"].includes(call.errcode) ? "" : ` ${call.answer}`;
  const repeated = call.duplicate ? ` (${word("repeated")})` : "";
  return make("li", {}, word("wireLine", clock(call.at), number(call.bytes), answer) + said + repeated);
}

function showCalls() {
  const shown = calls.filter(isHere).slice(0, 6);
  $("wire").replaceChildren(...shown.map(callLine));
  if (!shown.length) $("wire").append(make("li.hint", {}, word("wireNothing")));
}

$("restart").addEventListener("click", async () => {
  if (await act("/restart")) toast(word("restarted"), "good");
});

// ── State ──

function showChats() {
  const choice = ({ id }) => make("button", {
    type: "button", "data-chat": id, "aria-pressed": String(state?.chat === id),
    onclick: () => act("/chat", { chat: id }),
  }, word("chats")[id]);
  const focused = document.activeElement?.parentElement === $("chats") && document.activeElement.dataset.chat;
  $("chats").replaceChildren(...about.chats.map(choice));
  if (focused) document.querySelector(`#chats [data-chat="${focused}"]`)?.focus();
}

function showState() {
  if (showState.chat !== state.chat) {
    showState.chat = state.chat;
    showFailure.since = Math.max(0, ...invocations.keys());
    showAll();
    showFaults(null);
    return;
  }
  const settings = JSON.stringify(state.settings);
  if (showState.filled !== settings) {
    fillForm(state.settings);
    showState.filled = settings;
  }
  if (showState.fault !== state.fault) {
    showFailure.since = Math.max(0, ...invocations.keys());
    showState.fault = state.fault;
    showFailure();
  }
  if (showState.access !== state.access) {
    showLookUp.since = Math.max(0, ...invocations.keys());
    showState.access = state.access;
    showLookUp();
  }
  if (showState.zone !== state.zone) {
    showState.zone = state.zone;
    showTimes();
  }
  showClock();
  showAccesses();
  $("env").textContent = state.env;
  $("repeat").disabled = !state.canRepeat;
  const isBanned = state.bannedUntil > now();
  $("ban").hidden = !isBanned;
  if (isBanned) $("ban-words").textContent = word("ban", clock(state.bannedUntil), chatName());
  showGroupFaults();
  showHealth();
}

function showHealth() {
  const isGone = begin.stream && begin.stream.readyState !== EventSource.OPEN;
  const broken = state && [
    state.fault === "none" ? null : faultWords(state.fault)[0],
    ["role", "none"].includes(state.access) ? null : `ECS API: ${word("accesses")[state.access][0]}`,
  ].filter(Boolean).join(", ");
  $("health").textContent = isGone ? word("gone") : broken ? word("broken", broken) : word("well");
  $("health").title = $("health").textContent;
  $("health").classList.toggle("bad", Boolean(isGone || broken));
}

// ── Views, language, theme ──

function isVisible(name) {
  return root.dataset.view === name || (name === "group" && middling.matches) || (name === "calls" && wide.matches);
}

function view(name) {
  root.dataset.view = name;
  if (["fire", "time", "configure", "whom", "break"].includes(name) && root.dataset.panel !== name) {
    root.dataset.panel = name;
    document.querySelector(".controls").scrollTop = 0;
  }
  if (isVisible("group")) unread = 0;
  showUnread();
  showView();
  if (name === "group") $("log").scrollTop = $("log").scrollHeight;
}

function showView() {
  for (const button of document.querySelectorAll("nav [data-view]")) {
    const { view: name } = button.dataset;
    const isCurrent = wide.matches ? root.dataset.panel === name
      : middling.matches && root.dataset.view === "group" ? root.dataset.panel === name : root.dataset.view === name;
    if (isCurrent) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

function showUnread() {
  $("unread").hidden = !unread;
  $("unread").textContent = unread;
}

function showTheme() {
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  $("theme-word").textContent = word({ auto: "themeAuto", light: "themeLight", dark: "themeDark" }[theme] ?? "themeAuto");
}

/** Shows all times again, in the zone of the messages. */
function showTimes() {
  formats = formatsIn(state?.zone);
  showMessages();
  showInvocations();
  showCalls();
  showTold();
  showPlan();
}

/** Shows everything again, for a change of language. */
function showAll() {
  root.lang = language === "zh" ? "zh-CN" : "en";
  document.title = word("name", chatName()) + word("nameLong");
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word, chatName());
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", word(element.dataset.label));
  $("language").textContent = word("other");
  $("language").lang = language === "zh" ? "en" : "zh-CN";
  showTheme();
  showView();
  showChats();
  showFields();
  showSamples();
  showTimes();
  showFailure();
  showBurst();
  showAccesses();
  showLookUp();
  showFleet();
  showGroupFaults();
  if (state) showState();
  showHealth();
}

$("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  remember("language", language);
  showAll();
});
$("theme").addEventListener("click", () => {
  theme = { auto: "light", light: "dark" }[theme] ?? "auto";
  remember("theme", theme);
  showTheme();
});
$("all").addEventListener("click", () => {
  filter = null;
  showInvocations();
});
$("newer").addEventListener("click", () => {
  $("log").scrollTop = $("log").scrollHeight;
  $("log").focus();
});
$("log").addEventListener("scroll", () => {
  const log = $("log");
  if (log.scrollHeight - log.scrollTop - log.clientHeight < 80) $("newer").hidden = true;
});
for (const button of document.querySelectorAll("nav [data-view]")) {
  button.addEventListener("click", () => view(button.dataset.view));
}
for (const query of [wide, middling]) query.addEventListener("change", showView);

if (chosen.get("view")) view(chosen.get("view"));
begin();
