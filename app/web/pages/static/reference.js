// Starts Swagger UI on this server's document. Its credentials live in this page's memory only.
const browserFetch = window.fetch;
const dark = matchMedia("(prefers-color-scheme: dark)");

// Without the browser's own credentials: otherwise a wrong client secret would open the browser's password dialog.
window.fetch = (resource, options = {}) => browserFetch(resource, { ...options, credentials: "omit" });

const chooseColours = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
chooseColours();
dark.addEventListener("change", chooseColours);

window.SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#reference",
  deepLinking: false,
  persistAuthorization: false,
  validatorUrl: null,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // Its colours have too little contrast.
  syntaxHighlight: false,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
