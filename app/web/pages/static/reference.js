// Starts Swagger UI on this server's document. Its credentials live in this page's memory only.
const { fetch: browserFetch } = window;

// Without the browser's own credentials: otherwise a wrong client secret would open the browser's password dialog.
window.fetch = (resource, options = {}) => browserFetch(resource, { ...options, credentials: "omit" });

window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: false,
  persistAuthorization: false,
  validatorUrl: null,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  syntaxHighlight: { activated: true, theme: "idea" },
  filter: false,
  tryItOutEnabled: true,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
