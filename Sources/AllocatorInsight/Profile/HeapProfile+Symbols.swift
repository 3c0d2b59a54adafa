// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension HeapProfile {
  /// Why a file names nothing.
  package struct NoSymbols: Error {
    package var reason: String
  }

  /// Gives the functions of an image that was stripped their names, by a file that has them: the one it was made from, or its debug
  /// information alone.
  ///
  /// - Returns: the build id of both.
  package mutating func addSymbols(ofFile path: String) throws(NoSymbols) -> String {
    let table = SymbolTable(ofFile: path)
    guard !table.isEmpty, !table.isStripped else { throw NoSymbols(reason: "\(path) has no symbols") }
    guard !table.buildID.isEmpty else { throw NoSymbols(reason: "\(path) has no build id") }
    guard let image = images.first(where: { $0.buildID == table.buildID }) else {
      throw NoSymbols(reason: "\(path) has the build id \(table.buildID), and nothing in the profile has")
    }
    for site in sites.indices {
      for place in sites[site].frames.indices {
        let frame = sites[site].frames[place]
        guard image.low <= frame.address && frame.address < image.high else { continue }
        let inside = frame.isWaiting ? frame.address : frame.address - 1
        guard let symbol = table.name(at: inside - image.low + table.low) else { continue }
        sites[site].frames[place].function = ProcessSymbols.plainName(symbol)
      }
    }
    notes.removeAll { $0 == image.noteOfMissingSymbols }
    return table.buildID
  }
}

extension HeapProfile.Image {
  var noteOfMissingSymbols: String {
    let name = path.split(separator: "/").last ?? "?"
    guard !buildID.isEmpty else { return "\(name) has no symbols, and no build id: its functions are addresses" }
    return "\(name) has no symbols (build id \(buildID)): --symbols FILE names its functions, "
      + "where FILE is what it was before it was stripped"
  }
}
