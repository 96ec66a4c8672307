// Turns the pages of this folder into the VitePress site that the comparison reads.
import definitions from "markdown-it-deflist";
import footnotes from "markdown-it-footnote";
import { defineConfig } from "vitepress";

export default defineConfig({
  title: "brindle.js",
  description: "Reads a hub from the browser",
  outDir: "dist",
  lastUpdated: true,
  markdown: {
    lineNumbers: true,
    math: true,
    image: { lazyLoading: true },
    container: { tipLabel: "HINT" },
    config: (md) => md.use(footnotes).use(definitions),
  },
  themeConfig: {
    outline: { level: "deep", label: "On this page" },
    nav: [{ text: "Guide", link: "/guide/start" }, { text: "4.2", items: [{ text: "Changes", link: "/reference/changes" }] }],
    sidebar: [
      { text: "Guide", items: [{ text: "Start", link: "/guide/start" }, { text: "Streams", link: "/guide/streams" }] },
      { text: "Reference", items: [{ text: "Hub", link: "/reference/hub" }, { text: "Changes", link: "/reference/changes" }] },
    ],
    editLink: { pattern: "https://code.example/brindle/js/edit/main/:path", text: "Mend this page" },
    footer: { message: "Free as in bees.", copyright: "The Brindle workshop" },
    docFooter: { prev: "Before", next: "After" },
  },
});
