// What has really been seen: at least half of a card, for a second without a break.
const DWELL_MS = 1000;
const GATHER_MS = 500;

// Tells of what was seen, by the answer it belongs to: `tell(answer, items)`. Returns what a new card is handed to.
export function watcher(tell) {
  const seen = new Map();
  let soon;

  const flush = () => {
    soon = clearTimeout(soon);
    seen.forEach((items, answer) => tell(answer, items));
    seen.clear();
  };
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const [answer, item, timer] = target.zhike;
      clearTimeout(timer);
      if (isIntersecting) target.zhike[2] = setTimeout(() => {
        observer.unobserve(target);
        seen.set(answer, [...(seen.get(answer) || []), item]);
        soon ||= setTimeout(flush, GATHER_MS);
      }, DWELL_MS);
    }
  }, { threshold: 0.5 });
  addEventListener("pagehide", flush);

  return (card, answer, item) => {
    card.zhike = [answer, item];
    observer.observe(card);
  };
}
