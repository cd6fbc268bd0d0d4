import { newId, type SnapshotId, type WorkspaceId } from "@alcove/contract/ids";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { VolumeStore } from "./volume-store.ts";

/** A store with a way into its live trees that is not its own. */
export interface StoreUnderTest extends AsyncDisposable {
  store: VolumeStore;
  /** Runs a shell script as the box's user in the live /workspace of the workspace; gives its output. */
  inside(id: WorkspaceId, script: string): Promise<string>;
  /** What is left of the workspace anywhere on the disk. */
  leftovers(id: WorkspaceId): Promise<string[]>;
  /** Kills the process behind the store and starts it again. */
  restart(): Promise<void>;
}

/** What every volume store does. */
export function volumeStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keep the contract of volume stores`, () => {
    const signal = new AbortController().signal;
    let under: StoreUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under[Symbol.asyncDispose]());

    const volume = async (script = "true"): Promise<WorkspaceId> => {
      const id = newId("workspace");
      await under.store.create(id, signal);
      await under.inside(id, script);
      return id;
    };
    const snapshot = async (id: WorkspaceId): Promise<SnapshotId> => {
      const snap = newId("snapshot");
      await under.store.snapshot(id, snap, signal);
      return snap;
    };
    const changes = async (id: WorkspaceId, from: SnapshotId, to: SnapshotId | null) =>
      (await under.store.changes(id, from, to, signal)).map(({ path, change, kind }) => `${change} ${kind} ${path}`);
    const read = async (id: WorkspaceId, snap: SnapshotId, path: string) =>
      (await buffer(await under.store.readSnapshot(id, snap, path, signal))).toString();

    test("a volume has the layout of a workspace, and making it again keeps what is in it", async () => {
      const id = await volume("echo one > user/projects/a.txt");
      await under.store.create(id, signal);
      expect(await under.inside(id, "ls -d user/* system/*; cat user/projects/a.txt")).toBe(
        "system/backups\nsystem/logs\nsystem/state\nuser/home\nuser/projects\none\n",
      );
    });

    test("changes names what was added, modified and deleted, and nothing else", async () => {
      const id = await volume(
        "cd user/projects; echo 1 > kept; echo 1 > edited; echo 1 > gone; echo 1 > moved; mkdir -p dir/deep empty; echo 1 > dir/deep/x; echo 1 > cut; echo 1 > tool; echo 1 > touched; echo 1 > again; ln -s kept link; echo 1 > turns",
      );
      const from = await snapshot(id);
      await under.inside(
        id,
        "cd user/projects; echo 2 >> edited; rm gone; mv moved renamed; mv dir folder; : > cut; chmod +x tool; touch touched; rm again; echo 1 > again; ln -sfn edited link; mkdir -p new/er; echo 1 > new/er/y; rmdir empty; rm turns; mkdir turns; echo 1 > turns/in",
      );
      const to = await snapshot(id);
      const expected = [
        "modified file user/projects/cut",
        "deleted folder user/projects/dir",
        "deleted folder user/projects/dir/deep",
        "deleted file user/projects/dir/deep/x",
        "modified file user/projects/edited",
        "deleted folder user/projects/empty",
        "added folder user/projects/folder",
        "added folder user/projects/folder/deep",
        "added file user/projects/folder/deep/x",
        "deleted file user/projects/gone",
        "modified link user/projects/link",
        "deleted file user/projects/moved",
        "added folder user/projects/new",
        "added folder user/projects/new/er",
        "added file user/projects/new/er/y",
        "added file user/projects/renamed",
        "modified file user/projects/tool",
        "modified folder user/projects/turns",
        "added file user/projects/turns/in",
      ];
      expect(await changes(id, from, to)).toEqual(expected);
      expect(await changes(id, from, null)).toEqual(expected);
      expect(await changes(id, to, null)).toEqual([]);
    });

    test("two folders that swapped their names are compared with what stood there before", async () => {
      const id = await volume(
        "cd user/projects; mkdir a b; echo 1 > a/same; echo 1 > b/same; echo 1 > a/one; echo 22 > b/two",
      );
      const from = await snapshot(id);
      await under.inside(id, "cd user/projects; mv a c; mv b a; mv c b");
      expect(await changes(id, from, null)).toEqual([
        "deleted file user/projects/a/one",
        "added file user/projects/a/two",
        "added file user/projects/b/one",
        "deleted file user/projects/b/two",
      ]);
    });

    test("a change carries the size of the file, and names of any bytes do not stop it", async () => {
      const id = await volume();
      const from = await snapshot(id);
      await under.inside(
        id,
        String.raw`cd user/projects; printf 12345 > "$(printf 'a b\nü')"; printf 1 > "$(printf 'bad\377')"; printf 1 > '%41\101'`,
      );
      const found = await under.store.changes(id, from, null, signal);
      expect(found.map(({ path, size }) => [path, size])).toEqual([
        [String.raw`user/projects/%41\101`, 1],
        ["user/projects/a b\nü", 5],
        ["user/projects/bad\uFFFD", 1],
      ]);
    });

    test("what happens outside user/ is no change", async () => {
      const id = await volume();
      const from = await snapshot(id);
      await under.inside(id, "echo 1 > system/logs/x; echo 1 > system/backups/y");
      expect(await changes(id, from, null)).toEqual([]);
    });

    test("a snapshot does not change, can be taken twice under one id, and is read without following links", async () => {
      const id = await volume("cd user/projects; echo one > a; mkdir dir; ln -s /etc etc; ln -s a link");
      const snap = await snapshot(id);
      await under.inside(id, "echo two > user/projects/a");
      await under.store.snapshot(id, snap, signal);
      expect(await read(id, snap, "user/projects/a")).toBe("one\n");
      await expect(read(id, snap, "user/projects/etc/hostname")).rejects.toMatchObject({ code: "file_not_found" });
      await expect(read(id, snap, "user/projects/link")).rejects.toMatchObject({ code: "file_not_found" });
      await expect(read(id, snap, "user/projects/none")).rejects.toMatchObject({ code: "file_not_found" });
      await expect(read(id, snap, "user/projects/dir")).rejects.toMatchObject({ code: "is_folder" });
      await expect(read(id, snap, "../x")).rejects.toMatchObject({ code: "bad_request" });
    });

    test("restore puts everything back but the journal", async () => {
      const id = await volume("echo one > user/projects/a");
      const snap = await snapshot(id);
      await under.inside(id, "echo two > user/projects/a; echo new > user/projects/b");
      await under.store.restore(id, snap, signal);
      await under.store.restore(id, snap, signal);
      expect(await under.inside(id, "cat user/projects/*")).toBe("one\n");
      expect(await changes(id, snap, null)).toEqual([]);
    });

    test("a fork starts from the snapshot and goes its own way, also after its origin is gone", async () => {
      const id = await volume("echo one > user/projects/a");
      const snap = await snapshot(id);
      await under.inside(id, "echo two > user/projects/a");
      const target = newId("workspace");
      await under.store.fork(id, snap, target, signal);
      await under.inside(target, "echo three >> user/projects/a");
      await under.store.fork(id, snap, target, signal);
      expect(await under.inside(id, "cat user/projects/a")).toBe("two\n");
      await under.store.destroy(id, signal);
      expect(await under.inside(target, "cat user/projects/a")).toBe("one\nthree\n");
    });

    test("revert undoes a turn in place and keeps what was changed after it", async () => {
      const id = await volume(
        "cd user/projects; echo 1 > edited; echo 1 > gone; echo 1 > later; mkdir old; echo 1 > old/x; echo 1 > tool; ln -s edited link; echo 1 > untouched; echo 1 > turns",
      );
      const from = await snapshot(id);
      await under.inside(
        id,
        "cd user/projects; echo 2 > edited; rm gone; echo 2 > later; rm -r old; mkdir -p new/er; echo 2 > new/er/y; echo 2 > new/z; chmod 755 tool; ln -sfn gone link; rm turns; mkdir turns",
      );
      const to = await snapshot(id);
      await under.inside(id, "cd user/projects; echo 3 > later; echo 3 > mine; echo 3 > new/mine; echo 3 > untouched");
      const { reverted, kept } = await under.store.revert(id, from, to, signal);
      expect(kept).toEqual(["user/projects/later", "user/projects/new"]);
      expect(reverted).toEqual([
        "user/projects/edited",
        "user/projects/gone",
        "user/projects/link",
        "user/projects/new/er",
        "user/projects/new/er/y",
        "user/projects/new/z",
        "user/projects/old",
        "user/projects/old/x",
        "user/projects/tool",
        "user/projects/turns",
      ]);
      expect(
        await under.inside(
          id,
          "cd user/projects; find . -type f | sort | xargs grep -H .; readlink link; stat -c %a tool; stat -c %u turns; echo more >> gone",
        ),
      ).toBe(
        `./edited:1\n./gone:1\n./later:3\n./mine:3\n./new/mine:3\n./old/x:1\n./tool:1\n./turns:1\n./untouched:3\nedited\n644\n${await under.inside(id, "id -u")}`,
      );
      expect(await under.store.revert(id, from, to, signal)).toMatchObject({
        kept: expect.arrayContaining(["user/projects/later"]),
      });
    });

    test("revert does not follow a link that was put in the way", async () => {
      const id = await volume("cd user/projects; mkdir dir; echo 1 > dir/a");
      const from = await snapshot(id);
      await under.inside(id, "echo 2 > user/projects/dir/a");
      const to = await snapshot(id);
      await under.inside(
        id,
        "cd user/projects; mkdir elsewhere; echo 2 > elsewhere/a; mv dir dir2; ln -s elsewhere dir",
      );
      expect(await under.store.revert(id, from, to, signal)).toEqual({ reverted: [], kept: ["user/projects/dir/a"] });
      expect(await under.inside(id, "cat user/projects/elsewhere/a")).toBe("2\n");
    });

    test("usage grows with what is written", async () => {
      const id = await volume();
      const before = await under.store.usage(id, signal);
      await under.inside(id, "head -c 8000000 /dev/urandom > user/projects/big; sync -f user/projects/big");
      const after = await under.store.usage(id, signal);
      expect(after.bytes - before.bytes).toBeGreaterThan(7_000_000);
    });

    test("everything is there after the process behind the store was killed", async () => {
      const id = await volume("echo one > user/projects/a");
      const snap = await snapshot(id);
      await under.restart();
      await under.inside(id, "echo two > user/projects/a");
      expect(await changes(id, snap, null)).toEqual(["modified file user/projects/a"]);
    });

    test("what is not there has a code, and removing it is no error", async () => {
      const id = newId("workspace");
      const snap = newId("snapshot");
      await expect(under.store.snapshot(id, snap, signal)).rejects.toMatchObject({ code: "not_found" });
      await expect(under.store.usage(id, signal)).rejects.toMatchObject({ code: "not_found" });
      await under.store.destroy(id, signal);
      await under.store.deleteSnapshot(id, snap, signal);
      const known = await volume();
      await expect(under.store.restore(known, snap, signal)).rejects.toMatchObject({ code: "not_found" });
      await expect(under.store.changes(known, snap, null, signal)).rejects.toMatchObject({ code: "not_found" });
    });

    test("destroy leaves nothing", async () => {
      const id = await volume("echo one > user/projects/a");
      const first = await snapshot(id);
      await snapshot(id);
      await under.store.deleteSnapshot(id, first, signal);
      await under.store.destroy(id, signal);
      await under.store.destroy(id, signal);
      expect(await under.leftovers(id)).toEqual([]);
    });
  });
}
