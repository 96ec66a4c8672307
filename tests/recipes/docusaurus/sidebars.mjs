// Turns the folders of the handbook into its side bar.
export default {
  handbook: [
    "intro",
    {
      type: "category",
      label: "Sensors",
      link: { type: "generated-index", title: "All sensors", description: "Every probe that the cloud can plot." },
      items: ["sensors/scale", "sensors/microphone"],
    },
    { type: "category", label: "Recipes", items: ["recipes/alerts", "recipes/export", "recipes/components"] },
  ],
};
