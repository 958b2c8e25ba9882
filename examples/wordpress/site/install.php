<?php
// Install WordPress where the database has none: the user admin with ADMIN_PASSWORD.
define('WP_INSTALLING', true);
// Debian's configuration asks by which name the site is visited, on the command line too.
$_SERVER['HTTP_HOST'] = 'localhost';
require '/usr/share/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

if (is_blog_installed()) {
    echo "installed already\n";
} else {
    wp_install('Rome', 'admin', 'admin@example.com', true, '', getenv('ADMIN_PASSWORD'));
    echo "installed\n";
}
