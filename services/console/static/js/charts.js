// Charts from the data beside them. Colours come from the page's own tokens, so they follow light and dark.
"use strict";

(() => {
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const palette = () => [1, 2, 3, 4, 5, 6, 7, 8].map((n) => token(`chart-${n}`));
  const text = () => ({ color: token("muted"), fontFamily: token("font"), fontSize: 12 });
  const grid = (more = {}) => ({ left: 8, right: 16, top: 24, bottom: 8, outerBoundsMode: "same", containLabel: true, ...more });
  // Styles inside HTML are refused by the page's policy: tooltips are drawn on the canvas.
  const tooltip = (more = {}) => ({
    renderMode: "richText", confine: true, backgroundColor: token("surface"), borderColor: token("line"),
    textStyle: { color: token("ink"), fontFamily: token("font"), fontSize: 12 }, ...more,
  });
  const categories = (data, more = {}) => ({
    type: "category", data, axisLabel: { ...text(), hideOverlap: true }, axisTick: { show: false },
    axisLine: { lineStyle: { color: token("line-strong") } }, ...more,
  });
  const values = (more = {}) => ({
    type: "value", axisLabel: { ...text(), hideOverlap: true }, splitLine: { lineStyle: { color: token("line") } }, ...more,
  });
  const short = (lang) => new Intl.NumberFormat(lang, { notation: "compact", maximumFractionDigits: 1 });

  const kinds = {
    // {labels, bars: {name, values, shown}, line: {name, values, shown}}: two measures over time
    weeks(data, lang) {
      const compact = short(lang);
      return {
        grid: grid({ top: 40 }),
        legend: { top: 0, left: 0, textStyle: text(), itemWidth: 14, itemHeight: 8 },
        tooltip: tooltip({
          trigger: "axis",
          formatter: (points) => [data.full[points[0].dataIndex],
            ...points.map((p) => `${p.seriesName}  ${[data.bars, data.line][p.seriesIndex].shown[p.dataIndex]}`)].join("\n"),
        }),
        xAxis: categories(data.labels),
        yAxis: [values({ axisLabel: { ...text(), formatter: (v) => compact.format(v) } }),
          values({ splitLine: { show: false }, axisLabel: { ...text(), formatter: (v) => compact.format(v) } })],
        series: [
          { name: data.bars.name, type: "bar", data: data.bars.values, itemStyle: { color: token("chart-1"), borderRadius: [3, 3, 0, 0] }, barMaxWidth: 26 },
          { name: data.line.name, type: "line", yAxisIndex: 1, data: data.line.values, symbol: "none", lineStyle: { width: 2, color: token("chart-2") }, itemStyle: { color: token("chart-2") } },
        ],
      };
    },
    // {labels, values, shown}: how many of each, the longest name on the left
    bars(data) {
      return {
        grid: grid({ top: 0, bottom: 0, right: data.shown.some((one) => one.length > 8) ? 104 : 56 }),
        tooltip: tooltip({ trigger: "item", formatter: (p) => `${p.name}  ${data.shown[p.dataIndex]}` }),
        xAxis: values({ show: false, axisLabel: { show: false } }),
        yAxis: categories(data.labels, { inverse: true, axisLine: { show: false }, axisLabel: { ...text(), color: token("ink"), width: 130, overflow: "truncate" } }),
        series: [{
          type: "bar", data: data.values, barMaxWidth: 18, barMinHeight: 2,
          itemStyle: { color: (p) => data.colours ? palette()[data.colours[p.dataIndex]] : token("chart-1"), borderRadius: [0, 3, 3, 0] },
          label: { show: true, position: "right", ...text(), formatter: (p) => data.shown[p.dataIndex] },
        }],
      };
    },
    // {labels, lines: [{name, values}]}: how several measures go on
    lines(data, lang) {
      const compact = short(lang);
      return {
        grid: grid({ top: 36 }),
        legend: { top: 0, left: 0, textStyle: text(), itemWidth: 14, itemHeight: 8 },
        tooltip: tooltip({ trigger: "axis" }),
        xAxis: categories(data.labels, { boundaryGap: false }),
        yAxis: values({ axisLabel: { ...text(), formatter: (v) => compact.format(v) } }),
        series: data.lines.map((line, n) => ({
          name: line.name, type: "line", data: line.values, symbol: "none",
          lineStyle: { width: 2, color: palette()[n], type: n ? "dashed" : "solid" }, itemStyle: { color: palette()[n] },
        })),
      };
    },
    // {labels, values, low, high, shown}: estimates with their intervals, and a line at zero
    intervals(data) {
      const reach = Math.max(...data.low.map(Math.abs), ...data.high.map(Math.abs)) * 1.15 || 1;
      return {
        grid: grid({ top: 8 }),
        tooltip: tooltip({ trigger: "item", formatter: (p) => `${data.labels[p.dataIndex]}\n${data.shown[p.dataIndex]}` }),
        xAxis: values({ min: -reach, max: reach, axisLabel: { ...text(), showMinLabel: false, showMaxLabel: false, formatter: (v) => short(document.documentElement.lang).format(v) } }),
        yAxis: categories(data.labels, { inverse: true, axisLine: { show: false }, axisLabel: { ...text(), color: token("ink") } }),
        series: [{
          type: "custom",
          renderItem: (_, api) => {
            const [low, high, middle] = [1, 2, 3].map((n) => api.coord([api.value(n), api.value(0)]));
            const stroke = { stroke: token("chart-1"), lineWidth: 2, fill: null };
            return { type: "group", children: [
              { type: "line", shape: { x1: low[0], y1: low[1], x2: high[0], y2: high[1] }, style: stroke },
              ...[low, high].map(([x, y]) => ({ type: "line", shape: { x1: x, y1: y - 6, x2: x, y2: y + 6 }, style: stroke })),
              { type: "circle", shape: { cx: middle[0], cy: middle[1], r: 5 }, style: { fill: token("chart-1") } },
            ] };
          },
          data: data.values.map((value, n) => [n, data.low[n], data.high[n], value]),
          encode: { x: [1, 2, 3], y: 0 },
          markLine: { silent: true, symbol: "none", lineStyle: { color: token("line-strong"), type: "solid" }, label: { show: false }, data: [{ xAxis: 0 }] },
        }],
      };
    },
  };

  function draw(canvas) {
    const data = JSON.parse(canvas.nextElementSibling.textContent);
    if (["bars", "intervals"].includes(canvas.dataset.chart)) canvas.style.height = `${Math.max(5, data.labels.length * 1.9 + 0.5)}rem`;
    const chart = window.echarts.getInstanceByDom(canvas) || window.echarts.init(canvas, null, { renderer: "canvas" });
    chart.setOption({ animation: false, ...kinds[canvas.dataset.chart](data, document.documentElement.lang) }, true);
    chart.resize();
  }

  const all = () => document.querySelectorAll("[data-chart]").forEach(draw);
  window.addEventListener("DOMContentLoaded", all);
  document.addEventListener("htmx:afterSettle", all);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  let waiting;
  window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(all, 120); });
})();
