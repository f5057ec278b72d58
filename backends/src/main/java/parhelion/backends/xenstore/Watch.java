package parhelion.backends.xenstore;

/**
 * A client's wish to hear of changes at or below a path.
 *
 * @param connection whom to tell
 * @param path the watched path, absolute or special
 * @param token the client's name for the watch
 * @param depth how many levels below the path count; negative: all
 * @param prefixLength how much of an absolute path the client does not want to see, in chars
 * @param order the daemon-wide order of registration
 */
record Watch(
    Connection connection, String path, String token, int depth, int prefixLength, long order) {
  int sizeBytes() {
    return path.length() + token.length() + 64;
  }

  void tell(String changed) {
    connection.event(changed.substring(prefixLength), token);
  }
}
