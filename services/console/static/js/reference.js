// The reference of one service, drawn from its own document.
"use strict";

window.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("reference");
  window.SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    presets: [window.SwaggerUIBundle.presets.apis],
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    validatorUrl: null,
  });
});
