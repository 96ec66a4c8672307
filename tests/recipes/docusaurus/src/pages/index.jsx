// Turns the site's title into its front page.
import Layout from "@theme/Layout";
import Heading from "@theme/Heading";

export default function Home() {
  return (
    <Layout title="Welcome" description="Curves of forty hives on one page">
      <header className="hero hero--primary">
        <div className="container">
          <Heading as="h1" className="hero__title">Brindle Cloud</Heading>
          <p className="hero__subtitle">Curves of forty hives on one page</p>
        </div>
      </header>
      <main>
        <section className="container margin-vert--lg">
          <Heading as="h2">Open by default</Heading>
          <p>Every curve has an address that you may share or withdraw.</p>
        </section>
      </main>
    </Layout>
  );
}
