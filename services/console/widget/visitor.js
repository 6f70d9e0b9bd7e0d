// Who looks at the page: the same anonymous id as an analytics SDK beside us has, or will find when it comes.
import { attempt } from "./attempt.js";

const SEGMENT = "ajs_anonymous_id";
const RUDDER = "rl_anonymous_id";
const RUDDER_CODED = "RS_ENC_v3_";

let unkept; // where the browser lets us keep nothing, an id for this page

export const chance = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

export function anonymousId(given) {
  return given || ofSdk() || kept(RUDDER) || kept(SEGMENT) || made();
}

const ofSdk = () => attempt(() => {
  const { analytics, rudderanalytics } = window;
  const found = rudderanalytics?.getAnonymousId?.() || analytics?.user?.()?.anonymousId?.();
  return typeof found == "string" && found;
});

// A value as Segment's SDK (plain or JSON) or RudderStack's (JSON in base64) wrote it, in the storage or a cookie; it
// stumbles, and finds nothing, where there is neither.
const kept = (name) => attempt(() => {
  const cookie = document.cookie.split("; ").find((one) => one.startsWith(name + "="));
  let text = localStorage.getItem(name) || decodeURIComponent(cookie.slice(name.length + 1));
  if (text.startsWith(RUDDER_CODED)) text = atob(text.slice(RUDDER_CODED.length));
  return /^"?([\w-]{8,100})"?$/.exec(text)?.[1];
});

function made() {
  unkept ||= chance();
  attempt(() => localStorage.setItem(SEGMENT, JSON.stringify(unkept)));
  return unkept;
}
