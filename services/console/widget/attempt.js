// What comes of `does`, or nothing where a browser refuses it: recommendations never break the page they are in.
export function attempt(does) {
  try {
    return does();
  } catch {}
}
