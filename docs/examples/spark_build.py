"""Turns the pages of a site into a bundle on Apache Spark: partitions run `anchorite chunk` and `anchorite embed`.

    spark-submit spark_build.py --site public --tables tables --out public/bundle

Nothing is cut or embedded here: each partition's rows go through the command line as an Arrow stream, so that the bundle is
byte for byte what `anchorite build --site public` makes on one machine. `anchorite` must be on each worker, with the same folder
of models.
"""

import argparse
import os
import subprocess
import threading

import pyarrow as pa
from pyspark.sql import SparkSession, functions

CHUNKS = """
    source string, url string, title string, key string, copy_of string, is_marked boolean, language string,
    weight float, attributes string, sections int, ordinal int, id string, anchor string, headings array<string>,
    text string, hash string, embedding_text string
"""
EMBEDDINGS = "hash string, model string, vector array<float>"


def through(command):
    """A function that sends a partition's batches through a command: Arrow stream in, Arrow stream out."""

    def run(batches):
        first = next(batches, None)
        if first is None:
            return
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        failure = []

        def feed():
            try:
                with process.stdin, pa.ipc.new_stream(process.stdin, first.schema) as stream:
                    stream.write_batch(first)
                    for batch in batches:
                        stream.write_batch(batch)
            except Exception as error:  # told by the thread that reads, below
                failure.append(error)

        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            with process.stdout, pa.ipc.open_stream(process.stdout) as stream:
                yield from stream
        finally:
            feeder.join()
            code = process.wait()
        if code != 0 or failure:
            raise RuntimeError(f"{' '.join(command)}: exit code {code}, {failure}")

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", required=True, help="the folder of the site; each worker must see it")
    parser.add_argument("--tables", required=True, help="where the tables of chunks and embeddings go")
    parser.add_argument("--out", required=True, help="the folder that receives the bundle")
    parser.add_argument("--anchorite", default="anchorite", help="the command on the workers")
    parser.add_argument("--models", help="the folder of models on the workers")
    parser.add_argument("--base-url", default="", help="what stands before each page's address")
    parser.add_argument("--partitions", type=int, default=0, help="into how many parts pages are divided")
    parser.add_argument("--no-generator", action="store_true", help="search and quotations only")
    arguments = parser.parse_args()
    site = os.path.abspath(arguments.site)
    models = ["--models", arguments.models] if arguments.models else []

    spark = SparkSession.builder.appName("anchorite").getOrCreate()
    files = (
        spark.read.format("binaryFile")
        .option("recursiveFileLookup", "true")
        .option("pathGlobFilter", "*.{html,htm}")
        .load(site)
    )
    # binaryFile gives `file:/site/a%20b.html`, escaped; a source is the path below the site.
    prefix = len("file:" + site) + 2
    path = functions.url_decode(functions.replace(files.path, functions.lit("+"), functions.lit("%2B")))
    pages = files.select(functions.substring(path, prefix, 1 << 20).alias("source"), "content")
    partitions = arguments.partitions or spark.sparkContext.defaultParallelism
    # Engines start one task for each core, so that each command runs on one.
    chunk = [arguments.anchorite, "chunk", "--table", "-", "--site", site, "--threads", "1"]
    chunk += ["--base-url", arguments.base_url]
    embed = [arguments.anchorite, "embed", "-", "--threads", "1", *models]

    chunks = os.path.join(arguments.tables, "chunks")
    embeddings = os.path.join(arguments.tables, "embeddings")
    pages.repartition(partitions).mapInArrow(through(chunk), CHUNKS).write.mode("overwrite").parquet(chunks)
    texts = spark.read.parquet(chunks).select("hash", "embedding_text").dropDuplicates(["hash"])
    texts.repartition(partitions).mapInArrow(through(embed), EMBEDDINGS).write.mode("overwrite").parquet(embeddings)
    print(f"{pages.count()} files, {spark.read.parquet(chunks).count()} chunks,", end=" ")
    print(f"{spark.read.parquet(embeddings).count()} embeddings in {partitions} partitions", flush=True)
    spark.stop()

    index = [arguments.anchorite, "index", "--chunks", chunks, "--embeddings", embeddings, "--out", arguments.out, *models]
    subprocess.run(index + ["--no-generator"] * arguments.no_generator, check=True)


if __name__ == "__main__":
    main()
