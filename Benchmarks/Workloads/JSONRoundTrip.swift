// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// Decodes and encodes the list of the world's languages.
enum JSONRoundTrip {
  /// The file as Debian's iso-codes has it: ISO 639-3 under the key "639-3".
  struct Catalogue: Codable {
    var languages: [Language]

    enum CodingKeys: String, CodingKey { case languages = "639-3" }
  }

  struct Language: Codable {
    var alpha2: String?
    var alpha3: String
    var bibliographic: String?
    var commonName: String?
    var invertedName: String?
    var name: String
    var scope: String
    var type: String

    enum CodingKeys: String, CodingKey {
      case alpha2 = "alpha_2"
      case alpha3 = "alpha_3"
      case bibliographic
      case commonName = "common_name"
      case invertedName = "inverted_name"
      case name, scope, type
    }
  }

  static func run(repetitions: Int) throws -> UInt64 {
    var checksum = Checksum()
    var json = try Input.languages()
    for _ in 0..<repetitions {
      let catalogue = try JSONDecoder().decode(Catalogue.self, from: json)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      json = try encoder.encode(catalogue)
      checksum.add(json.count)
    }
    checksum.add(json)
    return checksum.value
  }
}
