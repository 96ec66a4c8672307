// Turns a program that answers each line with a line into a function that asks it.
import { spawn } from "node:child_process";
import readline from "node:readline";

/** Starts `program`. A line with `error` is thrown, and so is an end without an answer. */
export function start(program, ...values) {
  const child = spawn(program, values, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error(`\`${program}\` ended without an answer; its error stands above`);
      const answer = JSON.parse(value);
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    },
    end: () => child.stdin.end(),
  };
}
