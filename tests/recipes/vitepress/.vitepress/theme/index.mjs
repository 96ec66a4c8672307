// Turns the default theme into one that knows the counter.
import DefaultTheme from "vitepress/theme";
import Counter from "./Counter.vue";

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app }) => app.component("Counter", Counter),
};
