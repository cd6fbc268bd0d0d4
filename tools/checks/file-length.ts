import { projectFiles, readProjectFile } from "../project.ts";

const longest = 500;

/** Source files with more lines than anybody reads; generated code aside. */
export async function findLongFiles(): Promise<string[]> {
  const paths = await projectFiles("*.ts", "*.tsx", "*.mjs", "*.css");
  const problems: string[] = [];
  for (const path of paths) {
    if (path.includes(".generated.")) continue;
    const count = (await readProjectFile(path)).split("\n").length - 1;
    if (count > longest) problems.push(`${path} has ${count} lines; at most ${longest} are allowed`);
  }
  return problems;
}
