// Turns the pages of this folder into the Docusaurus site that the comparison reads.
import { themes } from "prism-react-renderer";
import rehypeKatex from "rehype-katex";
import remarkMath from "remark-math";

export default {
  title: "Brindle Cloud",
  tagline: "Curves of forty hives on one page",
  url: "https://cloud.example",
  baseUrl: "/",
  onBrokenLinks: "throw",
  markdown: { hooks: { onBrokenMarkdownLinks: "throw" } },
  presets: [
    [
      "classic",
      {
        docs: {
          routeBasePath: "docs",
          sidebarPath: "./sidebars.mjs",
          editUrl: "https://code.example/brindle/cloud/edit/main/",
          remarkPlugins: [remarkMath],
          rehypePlugins: [rehypeKatex],
          lastVersion: "current",
          versions: { current: { label: "2.x" } },
        },
        blog: { showReadingTime: true, onUntruncatedBlogPosts: "ignore", blogSidebarCount: 5 },
        theme: { customCss: "./src/css/custom.css" },
      },
    ],
  ],
  themeConfig: {
    announcementBar: { id: "meadow", content: "The meadow meeting takes place on Saturday.", isCloseable: true },
    navbar: {
      title: "Brindle Cloud",
      items: [
        { type: "docSidebar", sidebarId: "handbook", position: "left", label: "Handbook" },
        { to: "/blog", label: "Diary", position: "left" },
        { type: "docsVersionDropdown", position: "right" },
      ],
    },
    footer: {
      style: "dark",
      links: [{ title: "Company", items: [{ label: "Imprint", to: "/imprint" }] }],
      copyright: "Built by the Brindle workshop.",
    },
    prism: { theme: themes.github, additionalLanguages: ["toml", "diff", "rust"] },
  },
};
