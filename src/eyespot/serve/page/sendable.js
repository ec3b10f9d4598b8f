/** Which files are not worth sending. */

const MOST_BYTES = 20 * 2 ** 20;

/** What the browser would fail to send, or the server to take, is told at once. @param {Blob} picture */
export async function refuseUnsendable(picture) {
  if (picture.size > MOST_BYTES) throw new Error("The picture has more than 20 MB: make it smaller.");
  const start = await picture.slice(0, 1).arrayBuffer().catch(() => {
    throw new Error("This cannot be read. If it is a folder, choose the pictures in it.");
  });
  if (!start.byteLength) throw new Error("The file is empty: it may have been cut off while it was copied.");
}
