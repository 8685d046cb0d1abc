/* SPDX-License-Identifier: MIT */
/* The TLS side of a client connection, apart from any socket. */
#include "tls.h"
#include "address.h"
#include "xalloc.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum { MAX_WIRE_BYTES = 256 * 1024 }; /* received and not yet read: tls_read() is called after every feed */

struct tls {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
};

const char *tls_verify_words(long verify_result)
{
    switch (verify_result) {
    case X509_V_OK: return NULL;
    case X509_V_ERR_HOSTNAME_MISMATCH: return "its certificate is for another name";
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return "its certificate is for another address";
    case X509_V_ERR_CERT_HAS_EXPIRED: return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "its certificate is not valid yet; is this machine's clock right?";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "its certificate is signed by itself, not by an authority this machine knows";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "its certificate comes from an authority this machine doesn't know";
    case X509_V_ERR_CERT_REVOKED: return "its certificate was revoked";
    default: return X509_verify_cert_error_string(verify_result);
    }
}

/* Why a handshake or a later read failed, from OpenSSL's queue. */
static void say_refusal(struct tls *tls, char *err, size_t err_size)
{
    const char *words = tls_verify_words(SSL_get_verify_result(tls->ssl));
    unsigned long code = ERR_peek_error();

    if (words) {
        snprintf(err, err_size, "%s", words);
        return;
    }
    switch (ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_UNEXPECTED_MESSAGE: words = "the server doesn't speak TLS on this port"; break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        words = "the server offers only versions of TLS that are too old (1.2 is the least)";
        break;
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        words = "the server refused our client certificate, or wants one";
        break;
    default:
        words = ERR_reason_error_string(code);
        snprintf(err, err_size, "TLS failed: %s", words ? words : "no reason given");
        return;
    }
    snprintf(err, err_size, "%s", words);
}

static int on_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf, (void)size, (void)rwflag, (void)arg;
    return -1; /* OpenSSL would ask on the terminal and hold the loop */
}

static int load_files(SSL_CTX *ctx, const struct hr_stream_target *target, char *err, size_t err_size)
{
    const char *key_file = target->key_file ? target->key_file : target->cert_file;

    if (target->ca_file ? SSL_CTX_load_verify_locations(ctx, target->ca_file, NULL) != 1
                        : SSL_CTX_set_default_verify_paths(ctx) != 1) {
        snprintf(err, err_size, "can't read certificate authorities from %s",
                 target->ca_file ? target->ca_file : "the system's folder");
        return HR_EINVAL;
    }
    if (target->cert_file && SSL_CTX_use_certificate_chain_file(ctx, target->cert_file) != 1) {
        snprintf(err, err_size, "can't read a certificate in PEM form from %s", target->cert_file);
        return HR_EINVAL;
    }
    if (target->cert_file && SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1) {
        snprintf(err, err_size,
                 "can't use the private key in %s: it has to be PEM, without passphrase, and belong to %s", key_file,
                 target->cert_file);
        return HR_EINVAL;
    }
    return HR_OK;
}

static int set_peer(SSL *ssl, const char *host)
{
    if (address_is_literal(host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 ? HR_OK : HR_EINVAL;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1 ? HR_OK : HR_EINVAL;
}

struct tls *tls_new(const struct hr_stream_target *target, char *err, size_t err_size)
{
    struct tls *tls = xcalloc(1, sizeof(*tls));

    ERR_clear_error();
    tls->ctx = SSL_CTX_new(TLS_client_method());
    BUG_IF(!tls->ctx);
    SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(tls->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_default_passwd_cb(tls->ctx, on_passphrase);
    if (load_files(tls->ctx, target, err, err_size) != HR_OK) {
        tls_free(tls);
        ERR_clear_error();
        return NULL;
    }
    tls->ssl = SSL_new(tls->ctx);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    BUG_IF(!tls->ssl || !tls->in || !tls->out);
    BIO_set_mem_eof_return(tls->in, -1);
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    SSL_set_connect_state(tls->ssl);
    if (set_peer(tls->ssl, target->host) != HR_OK) {
        snprintf(err, err_size, "%s can't be the name in a certificate", target->host);
        tls_free(tls);
        ERR_clear_error();
        return NULL;
    }
    return tls;
}

void tls_free(struct tls *tls)
{
    if (tls) {
        SSL_free(tls->ssl);
        SSL_CTX_free(tls->ctx);
        free(tls);
    }
}

int tls_feed(struct tls *tls, const void *bytes, size_t len)
{
    if (len > MAX_WIRE_BYTES || BIO_ctrl_pending(tls->in) + len > MAX_WIRE_BYTES) {
        return HR_ELIMIT;
    }
    BUG_IF(len > 0 && BIO_write(tls->in, bytes, (int)len) != (int)len);
    return HR_OK;
}

int tls_handshake(struct tls *tls, char *err, size_t err_size)
{
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(tls->ssl);
    if (result == 1) {
        /* VERIFY_PEER has refused anything else; asked again because all rests on it. */
        BUG_IF(SSL_get_verify_result(tls->ssl) != X509_V_OK);
        return 1;
    }
    if (SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ) {
        return 0;
    }
    say_refusal(tls, err, err_size);
    ERR_clear_error();
    return HR_EDENIED;
}

int tls_read(struct tls *tls, void *bytes, size_t size, char *err, size_t err_size)
{
    int result;

    ERR_clear_error();
    result = SSL_read(tls->ssl, bytes, size > INT32_MAX ? INT32_MAX : (int)size);
    if (result > 0) {
        return result;
    }
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ: return 0;
    case SSL_ERROR_ZERO_RETURN: return HR_ERETRY;
    default:
        say_refusal(tls, err, err_size);
        ERR_clear_error();
        return HR_EDENIED;
    }
}

int tls_write(struct tls *tls, const void *bytes, size_t len)
{
    size_t done = 0;

    ERR_clear_error();
    while (done < len) {
        size_t count = 0;

        if (SSL_write_ex(tls->ssl, (const char *)bytes + done, len - done, &count) != 1) {
            ERR_clear_error();
            return HR_ERETRY;
        }
        done += count;
    }
    return HR_OK;
}

void tls_end(struct tls *tls)
{
    (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

size_t tls_output(struct tls *tls, const char **bytes)
{
    char *data = NULL;
    size_t len = (size_t)BIO_get_mem_data(tls->out, &data);

    *bytes = data;
    return len;
}

void tls_output_done(struct tls *tls)
{
    (void)BIO_reset(tls->out);
}

const char *tls_version(const struct tls *tls)
{
    return SSL_version(tls->ssl) == TLS1_3_VERSION ? "TLS 1.3" : "TLS 1.2";
}
